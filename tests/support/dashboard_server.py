"""The dashboard as its users start it, in a process of its own, and a client that has its token."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from command_line import EVO, PATIENCE_SECONDS, environment


class Dashboard:
    """A dashboard under way.

    Attributes:
        url: as it was printed, with the token.
        port: that it listens on.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self.port = parts.port or 0
        self.token = parts.query.removeprefix("token=")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request with the token; `headers` replace others, empty ones take them away."""
        usual = {"Cookie": f"evo_dashboard_{self.port}={self.token}", "Origin": self.origin if body else ""}
        usual |= {"Content-Type": "application/json" if body else ""}
        given = {**usual, **{name.replace("_", "-").title(): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body or None, {name: value for name, value in given.items() if value})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def get(self, path: str, **parameters: Any) -> Any:
        status, _, body = self.ask("GET", f"/api/{path}?{urlencode(parameters)}")
        assert status == 200, body
        return json.loads(body)

    def steer(self, verb: str, **fields: Any) -> tuple[int, Any]:
        status, _, body = self.ask("POST", "/api/steer", json.dumps({"verb": verb, **fields}).encode())
        return status, json.loads(body)


@contextmanager
def dashboard(path: Path, *arguments: str) -> Iterator[Dashboard]:
    """Serve the runs at `path`."""
    process = subprocess.Popen(
        [EVO, "dashboard", path, *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            url = process.stdout.readline().strip()
            assert "token=" in url, process.stderr.read()
            yield Dashboard(url)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                _, said = process.communicate(timeout=PATIENCE_SECONDS)
                assert (process.returncode, said) == (0, "")
            except subprocess.TimeoutExpired:
                process.kill()
                raise
