"""A file server that fails when it is told to, to be read with GDAL over HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FlakyServer:
    """Serves one folder. fail: how many requests for a name still fail, and with which status."""

    def __init__(self, folder: Path) -> None:
        self.fail: dict[str, tuple[int, int]] = {}
        self.asked: dict[str, int] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, *, body: bool) -> None:
                name = self.path.lstrip("/")
                outer.asked[name] = outer.asked.get(name, 0) + 1
                left, status = outer.fail.get(name, (0, 0))
                path = folder / name
                if left > 0 or not path.is_file():
                    outer.fail[name] = left - 1, status
                    self._reply(status if left > 0 else 404, {}, b"")
                    return
                data = path.read_bytes()
                headers = {"ETag": f'"{path.stat().st_mtime_ns}"', "Accept-Ranges": "bytes"}
                found = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
                code = 200
                if found:
                    first, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
                    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
                    data, code = data[first : last + 1], 206
                self._reply(code, headers, data, body=body)

            def _reply(self, code: int, headers: dict[str, str], data: bytes, *, body: bool = True) -> None:
                self.send_response(code)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(folder: Path) -> Iterator[FlakyServer]:
    server = FlakyServer(folder)
    try:
        yield server
    finally:
        server.close()
