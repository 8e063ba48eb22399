"""Uploads become clean GeoTIFFs, in a process of their own that can be lost.

Knows which formats are taken, what a decoder may use, and what its end means. Refuses to know pixels: it never
opens an upload (`decode_child.py` does).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio

from groundproof.errors import SceneError, TooLargeError, UsageError
from groundproof.scene import parse_datetime
from groundproof.service.settings import Limits
from groundproof.service.uploads import decode_child

MAX_BANDS = 16
DRIVERS = ("GTiff", "PNG", "JPEG", "WEBP")
"""All that an upload may be. MEM is what GDAL itself needs beside them."""
GRACE_S = 5.0
"""The decoder's own alarm comes first; after this the whole decoding server is killed."""
AT_ONCE = max(2, os.cpu_count() or 1)
REPLY_BYTES = 1 << 20
FILE_SLACK_BYTES = 64 << 20
"""What a GeoTIFF may be larger than its pixels: headers, and blocks that do not compress."""

GDAL_ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES",  # a truncated JPEG is an error, not grey imagery
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO",  # it takes a truncated PNG for a whole one
    "GDAL_CACHEMAX": "128",
    "GDAL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VSI_CACHE": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "LANG": "C.UTF-8",
}
PASSED_ON = ("GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "LD_LIBRARY_PATH")
"""All of the service's environment that the decoder gets: where a system's GDAL finds its tables."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was found in an upload and written anew.

    bands: without alpha. affine: GDAL corners as (a, b, c, d, e, f), x = a*col + b*row + c; None when the file
    has none. crs: WKT2. gcps: how many control points place it instead. datetime: RFC 3339.
    """

    width: int
    height: int
    bands: int
    dtype: str
    affine: tuple[float, float, float, float, float, float] | None
    crs: str | None
    gcps: int
    datetime: str | None


def format_of(path: Path) -> str:
    """The GDAL driver for a file, told by its first bytes. Raises SceneError for anything but `DRIVERS`."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "GTiff"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if head[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    came = (
        "nothing" if not head else "a file that begins with " + " ".join(f"{byte:02x}" for byte in head[:4])
    )
    raise SceneError(f"The image is {came}. Send a GeoTIFF, PNG, JPEG or WEBP file.")


def decode(source: Path, target: Path, limits: Limits) -> Decoded:
    """Decode an upload in a child process and write it to `target` as a clean GeoTIFF. From any thread; waits.

    At most `AT_ONCE` are decoded at a time.

    Raises:
        SceneError: not an image of `DRIVERS`, damaged, or its decoder ran out of time or memory.
        TooLargeError: more pixels than `limits.image_pixels`.
    """
    request = {
        "source": str(source.resolve()),
        "target": str(target.resolve()),
        "driver": format_of(source),
        "max_pixels": limits.image_pixels,
        "max_bands": MAX_BANDS,
        "seconds": limits.decode_seconds,
        "bytes": limits.decode_bytes,
        "file_bytes": limits.stored_bytes + FILE_SLACK_BYTES,
    }
    with _at_once:
        started = time.monotonic()
        reply = _server.ask(request, limits.decode_seconds + GRACE_S)
        took = time.monotonic() - started
    if reply is None:
        target.unlink(missing_ok=True)
        if took >= limits.decode_seconds * 0.9:
            raise SceneError(
                f"The image was not decoded within {limits.decode_seconds:g} s. Send it as a tiled GeoTIFF, or in "
                "pieces."
            )
        raise SceneError(
            "The image is damaged in a way that ended its decoder. Write it again and send that."
        )
    if "error" in reply:
        target.unlink(missing_ok=True)
        raise _refusal(reply, limits)
    affine = reply["affine"]
    return Decoded(
        reply["width"],
        reply["height"],
        reply["bands"],
        reply["dtype"],
        None if affine is None else (*affine,),
        reply["crs"],
        reply["gcps"],
        next((date for text in reply["dates"] if (date := parse_datetime(text))), None),
    )


def _refusal(reply: dict[str, Any], limits: Limits) -> UsageError | SceneError:
    match reply["error"]:
        case "too_large":
            return TooLargeError(reply["sentence"])
        case "refused":
            return SceneError(reply["sentence"])
        case "memory":
            return SceneError(
                f"Decoding the image needs more than {limits.decode_bytes >> 20:,} MiB of memory. Send it as a tiled "
                "GeoTIFF, or in pieces."
            )
        case _:
            return SceneError(
                f"The image cannot be decoded: {reply['sentence'].rstrip('.')}. Write it again and send that."
            )


class _DecodingServer:
    """The forking process and the socket to it; started when first needed, again when it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any] | None:
        """The child's answer; None when it ended without one."""
        receiving, sending = os.pipe()
        with os.fdopen(receiving, "rb", buffering=0) as pipe:
            try:
                self._send(json.dumps(request).encode(), sending)
            finally:
                os.close(sending)
            answer = _read(pipe.fileno(), timeout_s)
        if answer is None:
            self.kill()
        return json.loads(answer) if answer else None

    def _send(self, message: bytes, pipe: int) -> None:
        with self._lock:
            if self._process is not None and self._socket is not None and self._process.poll() is None:
                try:
                    socket.send_fds(self._socket, [message], [pipe])
                except OSError:  # it died since
                    pass
                else:
                    return
            socket.send_fds(self._start(), [message], [pipe])

    def _start(self) -> socket.socket:
        self._end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-P", "-s", str(Path(decode_child.__file__))],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C in the service's terminal is not for it
            )
        self._socket = ours
        return ours

    def kill(self) -> None:
        """End it and all that it forked."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def environment() -> dict[str, str]:
    """The decoder's whole environment: GDAL's options, where Python finds its packages, and no secret.

    GDAL_SKIP leaves only the drivers of `DRIVERS`, so that a file inside a file finds nothing to open it.
    """
    with rasterio.Env() as env:
        others = sorted(set(env.drivers()) - {*DRIVERS, "MEM"})
    return {
        **GDAL_ENVIRONMENT,
        "GDAL_SKIP": ",".join(others),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
    }


def _read(pipe: int, timeout_s: float) -> bytes | None:
    """All that comes until the pipe closes; None when that takes too long or never ends."""
    deadline = time.monotonic() + timeout_s
    answer = b""
    while len(answer) < REPLY_BYTES:
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        piece = os.read(pipe, 1 << 16)
        if not piece:
            return answer
        answer += piece
    return None


_at_once = threading.BoundedSemaphore(AT_ONCE)
_server = _DecodingServer()
atexit.register(_server.kill)
