"""One JSON document over HTTP, bounded in size and time.

Knows requests, redirects and patience. Refuses to know STAC. Nothing but http and https is ever opened,
also after a redirect: urllib by itself would follow to ftp.
"""

from __future__ import annotations

import http.client
import json
import string
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import IO, Any
from urllib.parse import quote, urlsplit

from groundproof.datasets import without_secrets
from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists.hrefs import is_http
from groundproof.version import __version__

SILENCE_S = 30.0
"""How long a server may say nothing."""
PAGE_S = 120.0
"""How long one document may take in all."""
MAX_PAGE_BYTES = 64 * 2**20
ATTEMPTS = 3
BACK_OFF_S = 1.0
"""Before the second attempt; doubled before the third. A server's Retry-After counts up to `SILENCE_S`."""
BUSY = frozenset({429, 502, 503, 504})
_CHUNK_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to ask for. body: sent as JSON with POST; None: GET."""

    url: str
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """content: parsed JSON. url: where it came from in the end, after redirects."""

    content: Any
    url: str


def fetch(request: PageRequest) -> Page:
    """Ask for a document; a busy server is asked again, `ATTEMPTS` times in all.

    Raises:
        UsageError: refused, unreachable, too large, too slow, no JSON.
    """
    shown = without_secrets(request.url)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(request, shown)
        except urllib.error.HTTPError as err:
            with err:
                if err.code not in BUSY or attempt == ATTEMPTS:
                    raise UsageError(f"{shown} {_refusal(err.code)}") from err
                wait = _patience(err.headers.get("Retry-After"), attempt)
        except (OSError, http.client.HTTPException) as err:
            if attempt == ATTEMPTS:
                reason = getattr(err, "reason", None) or err
                raise UsageError(
                    f"{shown} cannot be reached: {str(reason)[:200] or type(err).__name__}. Check the address and the "
                    "network, or save the result as a .json file and give that."
                ) from err
            wait = _patience(None, attempt)
        time.sleep(wait)
    raise AssertionError  # the last attempt returns or raises


def _once(request: PageRequest, shown: str) -> Page:
    deadline = time.monotonic() + PAGE_S
    data = None if request.body is None else json.dumps(request.body).encode()
    if not is_http(request.url):
        raise UsageError(f"{shown} is no http or https URL with a host.")
    if "@" in urlsplit(request.url).netloc:
        raise UsageError(
            f"The address of {shown} holds a user's name or password, which is not sent. Save the result as a .json "
            "file and give that."
        )
    asked = urllib.request.Request(  # noqa: S310 - http(s) only, checked above
        quote(request.url, safe=string.punctuation),
        data=data,
        headers={
            **request.headers,
            "Accept": "application/geo+json, application/json",
            "User-Agent": f"groundproof/{__version__}",
            **({} if data is None else {"Content-Type": "application/json"}),
        },
    )
    with _opener().open(asked, timeout=SILENCE_S) as reply:
        content = bytearray()
        while chunk := reply.read1(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_PAGE_BYTES:
                raise TooLargeError(
                    f"{shown} sends more than {MAX_PAGE_BYTES >> 20} MB at once. Ask for smaller pages (limit=100)."
                )
            if time.monotonic() > deadline:
                raise UsageError(
                    f"{shown} takes longer than {PAGE_S:.0f} s. Ask for smaller pages (limit=100)."
                )
        if reply.length:  # how much of Content-Length is missing
            raise ConnectionError("the connection ended in the middle of the document")
        url = reply.geturl()
    try:
        return Page(json.loads(bytes(content)), url)
    except (ValueError, RecursionError) as err:
        raise UsageError(
            f"{shown} sends no JSON. Give the address of a STAC search or of a collection's items, or a raster's "
            "with its suffix (.tif)."
        ) from err


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Only to http and https; headers a document asked for stay with the host it named."""

    def redirect_request(  # noqa: PLR0913, RUF100 - urllib's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request to make next. Raises UsageError for another scheme."""
        if not is_http(newurl):
            fp.close()
            raise UsageError(
                f"{without_secrets(req.full_url)} redirects to {without_secrets(newurl)[:200]}, which is neither http "
                "nor https. Check the address."
            )
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            kept = {"Accept", "User-agent"}  # as urllib capitalises them
            following.headers = {k: v for k, v in following.headers.items() if k in kept}
        return following


def _opener() -> urllib.request.OpenerDirector:
    """Proxies of the environment, http, https; no file, ftp or data, which urllib adds by default."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _patience(retry_after: str | None, attempt: int) -> float:
    if retry_after is not None and retry_after.strip().isdigit():
        return min(float(retry_after), SILENCE_S)
    return BACK_OFF_S * float(1 << (attempt - 1))


def _refusal(code: int) -> str:
    if code in (401, 403):
        return f"wants to know who asks (HTTP {code}). Save the result as a .json file and give that."
    if code in BUSY:
        return f"is busy (HTTP {code}, {ATTEMPTS} times). Try again later."
    if code in (404, 410):
        return f"is not there (HTTP {code}). Check the address."
    return f"refuses the request (HTTP {code}). Check the address and its parameters."
