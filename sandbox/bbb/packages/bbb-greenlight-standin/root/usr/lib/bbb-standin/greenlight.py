#!/usr/bin/python3
"""Stand-in for Greenlight v3: a page that says so, and a health check that really asks BigBlueButton's API.

Reads BIGBLUEBUTTON_ENDPOINT and BIGBLUEBUTTON_SECRET from the file named by the only argument, once, at start.
"""

import hashlib
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Greenlight stand-in</title></head>
<body><h1>This is a stand-in for Greenlight</h1><p>Nobody can sign in here.</p></body></html>
"""


def read_settings(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return dict(pairs)


def health(settings):
    """Returns None, or the problem as a text."""
    endpoint = settings.get("BIGBLUEBUTTON_ENDPOINT", "").rstrip("/")
    endpoint += "" if endpoint.endswith("/api") else "/api"
    query = "meetingID=0"
    secret = settings.get("BIGBLUEBUTTON_SECRET", "")
    checksum = hashlib.sha1(f"isMeetingRunning{query}{secret}".encode()).hexdigest()
    try:
        with urllib.request.urlopen(f"{endpoint}/isMeetingRunning?{query}&checksum={checksum}", timeout=5) as answer:
            if b"<returncode>SUCCESS</returncode>" in answer.read():
                return None
            return "Unable to connect to BigBlueButton - the shared secret was refused"
    except OSError as error:
        return f"Unable to connect to BigBlueButton - {error}"


class Server(ThreadingHTTPServer):
    def __init__(self, address, settings):
        super().__init__(address, Handler)
        self.settings = settings


class Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "greenlight-standin"
    sys_version = ""

    def do_GET(self):
        status, kind, body = 200, "text/html; charset=utf-8", PAGE
        if self.path.startswith("/health_check"):
            problem = health(self.server.settings)
            status, kind, body = (500, "text/plain", problem.encode()) if problem else (200, "text/plain", b"success")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = Server(("127.0.0.1", 5050), read_settings(sys.argv[1]))
    print("Greenlight (stand-in) listens on 127.0.0.1:5050", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
