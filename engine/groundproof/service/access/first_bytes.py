"""The first bytes of a file at an HTTP address, fetched from an address that was checked, without following anybody.

Knows one GET. Refuses to know which addresses are allowed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import SplitResult

from groundproof.errors import ForbiddenError, NotFoundError, SceneError

TIMEOUT_S = 15.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def first_bytes(parts: SplitResult, addresses: Sequence[Address], count: int) -> bytes:
    """Up to `count` bytes from the beginning of a URL's file.

    addresses: of the URL's host; the connection goes to the first of them that answers, whatever its name resolves to
    by now. TLS still wants a certificate for the name.

    Raises ForbiddenError for a redirect, NotFoundError, SceneError.
    """
    host = str(parts.hostname)
    name = f"{parts.scheme}://{host}{parts.path}"[:200]
    connection = _Connection(parts, addresses)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(
            "GET", target, headers={"Range": f"bytes=0-{count - 1}", "User-Agent": "groundproof"}
        )
        reply = connection.getresponse()
        head = reply.read(count) if reply.status in (200, 206) else b""
    except (OSError, http.client.HTTPException) as err:
        raise SceneError(f"{name} cannot be fetched: {err}.") from err
    finally:
        connection.close()
    if 300 <= reply.status < 400:
        raise ForbiddenError(
            f"{name} redirects elsewhere, which is not followed. Give the address it leads to."
        )
    if reply.status in (404, 410):
        raise NotFoundError(f"There is nothing at {name}.")
    if reply.status not in (200, 206):
        raise SceneError(f"{name} cannot be fetched: its server answers {reply.status} {reply.reason}.")
    return head


class _Connection(http.client.HTTPConnection):
    """To one of several addresses, in the name of the URL's host."""

    def __init__(self, parts: SplitResult, addresses: Sequence[Address]) -> None:
        default = 443 if parts.scheme == "https" else 80
        super().__init__(str(parts.hostname), parts.port or default, timeout=TIMEOUT_S)
        self._addresses = addresses
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.default_port = default  # else the Host header would say :443

    def connect(self) -> None:
        """Raises OSError when no address answers."""
        self.sock = connect(self._addresses, self.port, TIMEOUT_S)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def connect(addresses: Sequence[Address], port: int, timeout_s: float) -> socket.socket:
    """A connection to the first of some addresses that answers. Raises OSError."""
    failed: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout_s)
        except OSError as err:
            failed = err
    raise failed or OSError("it has no address")
