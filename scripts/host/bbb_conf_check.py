#!/usr/bin/python3
"""Judges what `bbb-conf --check` printed, whose exit code says nothing.

    bbb_conf_check.py <OUTPUT

What counts is below the header "Potential problems described below", which is always there. A line for each problem,
`FAIL|warn|info  text`; exit code 1 if any is FAIL, or if the header is missing. Texts that nobody has seen yet are
judged by how they begin: Error fails, Warning warns.
"""

import re
import sys

HEADER = re.compile(r"^(#|\*\*) Potential problems described below")

# In order; the first that matches decides. None: not worth a word.
RULES = [
    (r"Error: Unable to reach default URL for presentation", "warn"),
    (r"Error\b", "FAIL"),
    (r"Not running:", "FAIL"),
    (r"Nginx: BigBlueButton appears to be disabled", "FAIL"),
    (r"Tried to check .* in", "FAIL"),
    (r"ImageMagick's convert is not installed", "FAIL"),
    (r".*command not found", "FAIL"),
    (r"bbb-webrtc-sfu will try to connect to .* but FreeSWITCH is listening on", "FAIL"),
    (r"No ffmpeg version was found", "FAIL"),
    (r"Warning: Detected you have the default shared secret", "FAIL"),
    (r"Warning: Detected the directory", "FAIL"),
    (r"Warning: The (directory|file)$", "FAIL"),
    (r"Warning: No firewall detected", None),
    (r"Warning: The setting of .* for (local_ip_v4|proxy_pass) in", "info"),
    (r"You have this server defined for https, but in", "info"),
    (r"Warning: The installed ffmpeg version .* is not recommended", "info"),
    (r"Warning", "warn"),
    (r"The following properties in .* have no value", "warn"),
]


def judge(text):
    """(kind, the problem in one line) for each problem of bbb-conf's output."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if HEADER.match(line)), None)
    if start is None:
        # It gave up early, and the end says why.
        last = " ".join(line.lstrip("# ").strip() for line in lines[-12:] if line.strip())
        return [("FAIL", f"bbb-conf --check did not come to its end: {last or 'it printed nothing'}")]
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith("#"):
            continue
        body = line.lstrip("#").strip()
        rule = next((rule for rule in RULES if re.match(rule[0], body)), None)
        if rule:
            found.append([rule[1], body])
        elif body and found and len(found[-1][1]) < 300:
            found[-1][1] += f" {body}"
    return [(kind, body) for kind, body in found if kind]


def main():
    problems = judge(sys.stdin.read())
    for kind, body in problems:
        print(f"{kind:<4}  {body}")
    return 1 if any(kind == "FAIL" for kind, _ in problems) else 0


if __name__ == "__main__":
    sys.exit(main())
