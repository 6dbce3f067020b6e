"""Base of a host's own services, which answer in JSON on 127.0.0.1 to who has their token.

Python 3.8 or newer, standard library only.
"""

import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonHandler(BaseHTTPRequestHandler):
    timeout = 30

    def has_token(self, wanted):
        given = self.headers.get("Authorization", "").replace("Bearer ", "", 1)
        return hmac.compare_digest(given.encode(), wanted.encode())

    def answer(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def serve(handler, port):
    ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
