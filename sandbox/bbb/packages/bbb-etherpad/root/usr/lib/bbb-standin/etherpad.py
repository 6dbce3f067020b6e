"""Stand-in for Etherpad: its port, and the keys that it makes for itself at its start where it has none.

    etherpad.py [--home DIRECTORY] PORT
"""

import argparse
import os
import secrets
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import service

KEYS = ("APIKEY.txt", "SESSIONKEY.txt")


def make_keys(home):
    for name in KEYS:
        path = os.path.join(home, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))


def main():
    parser = argparse.ArgumentParser(description="Stand-in for Etherpad")
    parser.add_argument("--home", default="/usr/share/etherpad-lite")
    parser.add_argument("port")
    options = parser.parse_args()
    make_keys(options.home)
    sys.argv = ["service.py", "etherpad", options.port]
    service.main()


if __name__ == "__main__":
    main()
