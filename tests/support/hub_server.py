"""A real HTTP server that serves one dataset the way the Hugging Face hub does, for tests without a network.

It answers the requests that `datasets.load_dataset(name, streaming=True)` makes: the dataset's description, its tree of
files, and the files themselves. Point a fresh process at it with `HF_ENDPOINT=server.url`.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_COMMIT = "0" * 40


class HubServer:
    """Serves `files` (content by path) as the dataset `name` until the block ends."""

    def __init__(self, name: str, files: dict[str, bytes]) -> None:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = hub._answer(self.path.partition("?")[0])
                self.send_response(status)
                for key, value in ({"Content-Length": str(len(body)), "X-Repo-Commit": _COMMIT} | headers).items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.name, self.files = name, files
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        api, resolve = f"/api/datasets/{self.name}", f"/datasets/{self.name}/resolve/{_COMMIT}/"
        tree = [{"type": "file", "path": name, "size": len(body), "oid": _COMMIT} for name, body in self.files.items()]
        if path in (api, f"{api}/revision/{_COMMIT}"):
            siblings = [{"rfilename": name} for name in self.files]
            return self._json({"id": self.name, "sha": _COMMIT, "private": False, "tags": [], "siblings": siblings})
        if path == f"{api}/tree/{_COMMIT}":
            return self._json(tree)
        if path.startswith(resolve) and path.removeprefix(resolve) in self.files:
            return 200, {"ETag": '"content"'}, self.files[path.removeprefix(resolve)]
        code = "EntryNotFound" if self.name in path else "RepoNotFound"
        return 404, {"X-Error-Code": code}, b""

    @staticmethod
    def _json(answer: object) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
