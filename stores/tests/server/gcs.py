"""Stands before fake-gcs-server and gives its answers to requests of Google's XML API.

That server reads, lists and deletes objects by the XML API itself. It writes them by the JSON API
only, and checks preconditions there only in uploads of several parts: so a PUT becomes one of
those. What is written on which condition is up to the server.
"""

import json
import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

BOUNDARY = "isobar-boundary-7c1f"
own, behind = int(sys.argv[1]), int(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def ask(self, method, path, body, headers):
        connection = HTTPConnection("127.0.0.1", behind, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def as_it_is(self):
        headers = {"Content-Type": self.headers.get("Content-Type") or "application/octet-stream"}
        self.answer(*self.ask(self.command, self.path, self.body(), headers))

    def do_PUT(self):
        bucket, name = unquote(urlsplit(self.path).path).lstrip("/").split("/", 1)
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
        condition = self.headers.get("x-goog-if-generation-match")
        if condition is not None:
            path += f"&ifGenerationMatch={condition}"
        head = (
            f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{json.dumps({'name': name})}"
            f"\r\n--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        parts = head.encode() + self.body() + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/related; boundary={BOUNDARY}"}
        status, headers, found = self.ask("POST", path, parts, kind)
        if status == 200:
            made = json.loads(found)
            headers = {"x-goog-generation": made["generation"], "ETag": f'"{made["etag"]}"'}
            found = b""
        self.answer(status, headers, found)

    do_GET = do_HEAD = do_POST = do_DELETE = as_it_is

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    # Fifty writers come at once.
    request_queue_size = 256


Server(("127.0.0.1", own), Handler).serve_forever()
