"""As much of GitHub's and GitLab's APIs as a pipeline asks for its comment and its issue, on loopback."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "forge-token"
BOT, PERSON = {"id": 1, "login": "github-actions[bot]"}, {"id": 2, "login": "somebody"}
ME = "user"
COMMENTS = r"(?:issues|merge_requests)/(\d+)/(?:comments|notes)"


class Forge:
    """Comments by the number of what they are on, and issues; both with who wrote them."""

    def __init__(self):
        self.url = ""
        self.comments = []
        self.issues = []

    def comment(self, on, body, by=PERSON):
        entry = {"id": 100 + len(self.comments), "on": on, "body": body, "user": by, "author": by}
        self.comments.append(entry)
        return entry

    def issue(self, fields, by=PERSON):
        number = 1 + len(self.issues)
        text = fields.get("body", fields.get("description"))
        entry = {"number": number, "iid": number, "title": fields["title"], "body": text, "description": text}
        self.issues.append({**entry, "state": "open", "user": by})
        return self.issues[-1]

    def answer(self, method, path, query, body):
        """A status and a document, or None where nothing is there."""
        if path.endswith("/user"):
            return 200, BOT
        if found := re.search(rf"/{COMMENTS}$", path):
            on = int(found[1])
            if method == "POST":
                return 201, self.comment(on, body["body"], BOT)
            return 200, self._page([entry for entry in self.comments if entry["on"] == on], query)
        if found := re.search(r"/(?:comments|notes)/(\d+)$", path):
            entry = next(entry for entry in self.comments if entry["id"] == int(found[1]))
            entry |= body
            return 200, entry
        return self._issues(method, path, query, body)

    def _issues(self, method, path, query, body):
        if found := re.search(r"/issues/(\d+)$", path):
            entry = self.issues[int(found[1]) - 1]
            text = body.get("body", body.get("description", entry["body"]))
            closed = body.get("state") == "closed" or body.get("state_event") == "close"
            entry |= {"body": text, "description": text, "state": "closed" if closed else entry["state"]}
            return 200, entry
        if path.endswith("/issues") and method == "POST":
            return 201, self.issue(body, BOT)
        if path.endswith("/issues"):
            assert query.get("creator") == [BOT["login"]] or query.get("scope") == ["created_by_me"], query
            mine = [entry for entry in self.issues if entry["user"] == BOT and entry["state"] == "open"]
            return 200, self._page(mine, query)
        return None

    @staticmethod
    def _page(entries, query):
        size, page = min(int(query.get("per_page", ["30"])[0]), 100), int(query.get("page", ["1"])[0])
        return entries[size * (page - 1) : size * page]


@contextmanager
def forge():
    """One that answers until the block ends."""
    kept = Forge()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self):
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            told = TOKEN in (self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
            found = kept.answer(self.command, parts.path, parse_qs(parts.query), body) if told else (401, {})
            status, document = found or (404, {"message": "Not Found"})
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = handle_one

        def log_message(self, *_): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
