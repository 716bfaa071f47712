"""Keeps states for Terraform's http backend: GET, POST, DELETE, LOCK and UNLOCK of any path.

A state that is posted under another lock than the one that is held is refused, as GitLab does it.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

states, locks, mutex = {}, {}, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with mutex:
            self.answer(*self.act(path, body))

    def act(self, path, body):
        held = locks.get(path)
        if self.command == "GET":
            return (200, states[path]) if path in states else (404, b"")
        if self.command == "LOCK":
            if held:
                return 423, json.dumps(held).encode()
            locks[path] = json.loads(body)
            return 200, b""
        if self.command == "UNLOCK":
            if held and json.loads(body)["ID"] == held["ID"]:
                del locks[path]
                return 200, b""
            return 409, json.dumps(held).encode()
        given = parse_qs(urlsplit(self.path).query).get("ID", [""])[0]
        if held and given != held["ID"]:
            return 409, json.dumps(held).encode()
        if self.command == "DELETE":
            states.pop(path, None)
        else:
            states[path] = body
        return 200, b""

    do_GET = do_POST = do_DELETE = do_LOCK = do_UNLOCK = handle_one

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
