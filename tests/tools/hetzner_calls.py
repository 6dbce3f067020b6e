"""Makes calls to the emulated Hetzner Cloud API and returns the answers, refusals included.

Reads {"endpoint", "token", "calls": [[method, path, body or nothing], …]} as JSON from standard input. Prints
[{"status", "body"}, …] as JSON; the body of an answer without one is null.
"""

import json
import sys

import requests


def main():
    wish = json.load(sys.stdin)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {wish['token']}"
    answers = []
    for method, path, *body in wish["calls"]:
        answer = session.request(method, wish["endpoint"] + path, json=body[0] if body else None, timeout=60)
        answers.append({"status": answer.status_code, "body": answer.json() if answer.content else None})
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
