#!/usr/bin/python3
"""Prints the hash of a password for node_exporter. One that FILE has already, and that is right, stays as it is.

metrics_password.py FILE <PASSWORD
"""

import re
import sys

import bcrypt

if __name__ == "__main__":
    password = sys.stdin.readline().strip().encode()
    known = None
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            known = re.search(r"^  metrics: (\S+)$", file.read(), re.MULTILINE)
    except FileNotFoundError:
        pass
    if known and bcrypt.checkpw(password, known[1].encode()):
        print(known[1])
    else:
        print(bcrypt.hashpw(password, bcrypt.gensalt(10)).decode())
