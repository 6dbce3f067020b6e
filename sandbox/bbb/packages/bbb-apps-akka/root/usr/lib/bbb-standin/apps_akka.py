#!/usr/bin/python3
"""Stand-in for bbb-apps-akka: it hands the client's settings to clients.

It reads the packaged ones and /etc/bigbluebutton/bbb-html5.yml once, at its start: maps are merged, lists replaced.

    apps_akka.py [--root DIR] [--port N]

--root puts every file below another directory, --port 0 picks a free port and prints it.
"""

import argparse
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

DEFAULTS = "usr/share/bigbluebutton/html5-client/private/config/settings.yml"
OVERRIDES = "etc/bigbluebutton/bbb-html5.yml"


def merged(below, above):
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}


def client_settings(root):
    settings: dict = {}
    for name in (DEFAULTS, OVERRIDES):
        path = os.path.join(root, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                settings = merged(settings, yaml.safe_load(file) or {})
    return settings


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    server_version = "bbb-apps-akka-standin"
    sys_version = ""

    def do_GET(self):
        known = self.path == "/clientSettings"
        data = json.dumps(self.server.settings if known else {}, default=str).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, settings):
        super().__init__(address, Handler)
        self.settings = settings


def main():
    parser = argparse.ArgumentParser(description="Stand-in for bbb-apps-akka")
    parser.add_argument("--root", default="/")
    parser.add_argument("--port", type=int, default=8901)
    options = parser.parse_args()
    try:
        settings = client_settings(options.root)
    except (OSError, yaml.YAMLError) as error:
        sys.exit(f"bbb-apps-akka (stand-in) cannot start: {error}")
    server = Server(("127.0.0.1", options.port), settings)
    print(f"bbb-apps-akka (stand-in) listens on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
