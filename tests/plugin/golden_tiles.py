"""A tile service on this computer whose every pixel says where it is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice
from qgis.PyQt.QtGui import QImage

TILE = 256


def tile_pixels(z: int, x: int, y: int) -> np.ndarray:
    """Rows, columns, RGB: column and row in the whole level, modulo 251, and the level."""
    col = (x * TILE + np.arange(TILE))[None, :] % 251
    row = (y * TILE + np.arange(TILE))[:, None] % 251
    level = np.full((TILE, TILE), 10 * z)
    return np.stack(np.broadcast_arrays(col, row, level), axis=-1).astype(np.uint8)


def encoded(pixels: np.ndarray) -> bytes:
    """As PNG."""
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data)


@contextmanager
def tile_service(status: int = 200, wait: threading.Event | None = None) -> Iterator[tuple[str, list[int]]]:
    """(a QGIS XYZ source, levels of the tiles it was asked for). wait: nothing is answered until it is set.

    Its addresses are its own: QGIS keeps tiles on disk by their address for weeks, and ports come back.
    """
    levels: list[int] = []
    folder = secrets.token_hex(8)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            z, x, y = (int(part) for part in self.path.split("/")[-3:])
            levels.append(z)
            if wait is not None:
                wait.wait(20)
            body = encoded(tile_pixels(z, x, y)) if status == 200 else b"no"
            try:
                self.send_response(status)
                self.send_header("Content-Type", "image/png" if status == 200 else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except BrokenPipeError:  # the client cancelled, which is what some tests want
                return

        def log_message(self, *_: object) -> None:
            """Tests are not told every tile."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/{folder}/%7Bz%7D/%7Bx%7D/%7By%7D"
        yield f"type=xyz&url={url}&zmin=0&zmax=18", levels
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
