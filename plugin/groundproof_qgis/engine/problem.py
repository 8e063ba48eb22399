"""What an engine, or something before it, answered in place of what was wanted -> an error with one sentence.

Knows HTTP status codes and problem documents (RFC 9457). Refuses to know Qt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from groundproof_qgis.engine.errors import (
    BUSY,
    FAILED,
    INVALID,
    MISSING,
    PROXY,
    UNAUTHORIZED,
    UNREACHABLE,
    VERSION,
    EngineError,
)
from groundproof_qgis.i18n_text import tr

MAX_SENTENCE = 2000
"""Characters of a problem's detail that are shown."""

GATEWAY = (502, 503, 504)
"""What proxies say when they do not reach the engine."""


def error_of(url: str, status: int, headers: Mapping[str, str], body: bytes) -> EngineError:
    """The error that an answer means. url: the engine's. headers: by lower-case name. status: not 2xx."""
    detail = _detail(body)
    if status == 401:
        sentence = tr(
            "The engine at {url} does not accept this token. Choose an authentication configuration that holds the "
            "engine's token as password (its operator has it)."
        )
        return EngineError(sentence.format(url=url), UNAUTHORIZED, status)
    if status == 407:
        return EngineError(proxy_wants_password(), PROXY, status)
    if 300 <= status < 400:
        sentence = tr(
            "{url} sends on to {other}. If that is the engine you mean, give that address in the settings."
        )
        return EngineError(
            sentence.format(url=url, other=headers.get("location", "?")[:300]), VERSION, status
        )
    if detail is None:
        return _of_a_stranger(url, status, headers)
    kind = _KINDS.get(status, INVALID if status < 500 else FAILED)
    return EngineError(detail, kind, status, retry_after(headers) if kind == BUSY else None)


_KINDS = {404: MISSING, 410: MISSING, 429: BUSY, 502: UNREACHABLE, 503: BUSY, 504: UNREACHABLE}


def _of_a_stranger(url: str, status: int, headers: Mapping[str, str]) -> EngineError:
    """Somebody answered who does not speak in problem documents: a proxy, or another program."""
    words = _phrase(status)
    if status == 429:
        sentence = tr("{url} is busy ({status} {words}). Try again in a while.")
        return EngineError(
            sentence.format(url=url, status=status, words=words), BUSY, status, retry_after(headers)
        )
    if status in GATEWAY:
        sentence = tr(
            "What answers at {url} does not reach the engine behind it ({status} {words}). Try again, or ask its "
            "operator."
        )
        return EngineError(sentence.format(url=url, status=status, words=words), UNREACHABLE, status)
    sentence = tr(
        "{url} answered {status} {words}, which is no answer of a groundproof engine. Check the address."
    )
    kind = MISSING if status == 404 else VERSION
    return EngineError(sentence.format(url=url, status=status, words=words), kind, status)


def proxy_wants_password() -> str:
    """The sentence for 407."""
    return tr(
        "The proxy wants a user name and password. Give them in QGIS under Settings > Options > Network, or add the "
        "engine's address to the excluded ones there."
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as said; dates are not read."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isdecimal() else None


def json_object(url: str, body: bytes) -> dict[str, Any]:
    """The answer's document. Raises EngineError (version) when it is no JSON object."""
    try:
        document = json.loads(body)
    except ValueError:  # UnicodeDecodeError is one
        document = None
    if not isinstance(document, dict):
        sentence = tr("{url} is not a groundproof engine: its answer cannot be read. Check the address.")
        raise EngineError(sentence.format(url=url), VERSION)
    return document


def _detail(body: bytes) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    detail = document.get("detail")
    return detail[:MAX_SENTENCE] if isinstance(detail, str) and detail.strip() else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
