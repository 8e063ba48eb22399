"""A small HTTP server that misbehaves as it is told, in threads."""

from __future__ import annotations

import copy
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HEALTH = {"status": "ok", "service": "groundproof", "version": "0.1.0", "api": "1"}


class Call(BaseHTTPRequestHandler):
    """One request, for the function that answers it."""

    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if self.server.reads_bodies else b""
        self.server.calls.append(copy.copy(self))  # one handler serves all requests of a connection
        try:
            self.server.answer(self)
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True  # the other side is gone, which some tests want

    do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = _answer  # noqa: N815

    def json(self, document: Any, status: int = 200, **headers: str) -> None:
        self.bytes(json.dumps(document).encode(), status, **{"Content_Type": "application/json", **headers})

    def problem(self, status: int, detail: str, **headers: str) -> None:
        self.json(
            {"type": "about:blank", "title": "?", "status": status, "detail": detail}, status, **headers
        )

    def bytes(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def begin(self, status: int = 200, **headers: str) -> None:
        """An answer that ends with its connection."""
        self.send_response(status)
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def write(self, body: bytes) -> None:
        self.wfile.write(body)
        self.wfile.flush()

    def drop(self) -> None:
        """Hang up, rudely."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.close()


class FaultyServer(ThreadingHTTPServer):
    """answer: called in a thread of its own for each request. tls: certificate and key in one file."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Callable[[Call], None], tls: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.answer = answer
        self.calls: list[Call] = []
        self.reads_bodies = True
        self.over = threading.Event()
        self.scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is not worth a word."""

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


def self_signed(folder: Path) -> Path:
    """A certificate that nobody trusts, and its key."""
    path = folder / "certificate.pem"
    key = folder / "key.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run(words, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path
