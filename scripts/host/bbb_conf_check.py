#!/usr/bin/python3
"""Judges the output of `bbb-conf --check`, whose exit code tells nothing.

    bbb_conf_check.py <OUTPUT

Problems are below the header "Potential problems described below", which is always there. Prints a line for each,
`FAIL|warn|info text`; exit code 1 if any is FAIL.

bbb-conf reports wrong problems of healthy servers (a port it asked for one second; a value that it failed to read),
so its report alone is a warning. FAIL is a problem that a second look at this host confirms. Services, API, secrets
and media addresses have checks of their own, which fail by themselves.
"""

import os
import pwd
import re
import shutil
import socket
import sys

ROOT = os.environ.get("BBB_DEPLOY_ROOT", "")
HEADER = re.compile(r"^(#|\*\*) Potential problems described below")


def lacks_command(match):
    return shutil.which(match["command"]) is None


def has_another_owner(match):
    try:
        return pwd.getpwuid(os.stat(ROOT + match["path"]).st_uid).pw_name != match["owner"]
    except OSError:
        return False
    except KeyError:  # a number without a user
        return True


def is_deaf(match):
    """True when nothing listens at a port of this host."""
    for address in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((address, int(match["port"])), 3).close()
            return False
        except OSError:
            continue
    return True


OWNER = r".*?(?P<path>/\S+).*? not owned by (?P<owner>[\w-]+)"

# In order; the first that matches decides: a kind, or the function that confirms a failure. None: not worth a word. What
# matches none is a warning.
RULES = [
    # It fails to read the value. media_addresses.py reads the files and compares.
    (r"bbb-webrtc-sfu will try to connect to (null)? *but FreeSWITCH", None),
    (r"(Warning: )?No (?P<command>ffmpeg) version was found", lacks_command),
    (r"ImageMagick's (?P<command>convert) is not installed", lacks_command),
    (r"(Warning: )?(?P<command>[\w.-]+) command not found", lacks_command),
    (rf"Warning: (Detected the directory|The directory|The file){OWNER}", has_another_owner),
    (r"Error: Unable to connect to the FreeSWITCH Event Socket Layer on port (?P<port>\d+)", is_deaf),
    (r"(Warning: )?No firewall detected", None),
    (r"(Warning: )?The setting of .* for (local_ip_v4|proxy_pass) in", "info"),
    (r"(Warning: )?You have this server defined for https, but in", "info"),
    (r"(Warning: )?The installed ffmpeg version .* is not recommended", "info"),
]

# What a problem begins with; other lines go on with the one before.
BEGINS = re.compile(
    r"Error\b|Warning\b|Not running:|Nginx: |Tried to check |ImageMagick's |[\w.-]+ command not found|bbb-webrtc-sfu will try"
    r"|No ffmpeg version|You have this server defined for https|The following properties in "
)


def judge(text):
    """Returns (kind, the problem in one line) for each problem of bbb-conf's output."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if HEADER.match(line)), None)
    if start is None:
        # It gave up early, and the end says why.
        last = " ".join(line.lstrip("# ").strip() for line in lines[-12:] if line.strip())
        return [("warn", f"bbb-conf --check did not come to its end: {last or 'it printed nothing'}")]
    found = []
    for line in lines[start + 1 :]:
        body = line.lstrip("#").strip()
        if not line.startswith("#") or not body:
            continue
        if BEGINS.match(body):
            found.append(body)
        elif found and len(found[-1]) < 300:
            found[-1] += f" {body}"
    return [(kind, body) for kind, body in map(kind_and_body, found) if kind]


def kind_and_body(body):
    for pattern, kind in RULES:
        match = re.match(pattern, body)
        if match:
            return ("FAIL" if kind(match) else "warn") if callable(kind) else kind, body
    return "warn", body


def main():
    problems = judge(sys.stdin.read())
    for kind, body in problems:
        print(f"{kind:<4}  {body}")
    return 1 if any(kind == "FAIL" for kind, _ in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
