"""Where an engine is and how one shows that one may ask it.

Knows URLs. Refuses to know settings and HTTP.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Union
from urllib.parse import urlsplit, urlunsplit

from groundproof_qgis.engine.errors import INVALID, EngineError
from groundproof_qgis.i18n_text import tr

TokenSource = Callable[[], str]


@dataclass(frozen=True)
class EngineAddress:
    """One engine. url: http or https, with a path where a proxy serves it below one; kept without a final slash.

    authcfg: id of one of QGIS's authentication configurations. token_source: gives the token of an engine that this
    plugin started itself. Raises EngineError (invalid) for what is no such URL.
    """

    url: str
    authcfg: str = ""
    token_source: TokenSource | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", tidy(self.url))

    @property
    def host(self) -> str:
        """Name or number, without port and brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this computer."""
        return is_loopback(self.host)

    @property
    def is_plain(self) -> bool:
        """Whether what is sent there is not encrypted."""
        return urlsplit(self.url).scheme == "http"

    @property
    def warning(self) -> str | None:
        """What a person should know before anything is sent there; None where there is nothing."""
        if self.is_loopback or not self.is_plain:
            return None
        return tr(
            "{url} is not encrypted: the token and the imagery would travel readable for everybody on the way. "
            "Use an address that begins with https://, or a tunnel to this computer."
        ).format(url=self.url)


AddressSource = Union[EngineAddress, Callable[[], EngineAddress]]
"""An address, or who knows it now: an engine that was started again has another port and token."""


def current(source: AddressSource) -> EngineAddress:
    """The address as it is now. Raises EngineError of its source when there is none."""
    return source if isinstance(source, EngineAddress) else source()


def is_loopback(host: str) -> bool:
    """Whether a name or number means this computer."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tidy(text: str) -> str:
    """The URL of an engine as a person typed it, without spaces around and slash at the end.

    Raises EngineError (invalid) with what is allowed.
    """
    words = text.strip()
    example = "https://gpu-box.example:8765"
    if not words:
        raise EngineError(
            tr("The engine's address is empty. Give one such as {example}.").format(example=example), INVALID
        )
    try:
        parts = urlsplit(words)
        _ = parts.port  # raises for what is no number
    except ValueError as err:
        raise EngineError(
            tr("{text} is not an address: {why}. Give one such as {example}.").format(
                text=words[:200], why=err, example=example
            ),
            INVALID,
        ) from err
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EngineError(
            tr(
                "{text} is not an engine's address. It begins with https:// or http:// and a host, such as {example}."
            ).format(text=words[:200], example=example),
            INVALID,
        )
    if parts.username is not None or parts.query or parts.fragment or any(c.isspace() for c in words):
        raise EngineError(
            tr(
                "An engine's address has no spaces, user, question mark or #. Put the token into one of QGIS's "
                "authentication configurations, and give the address as {example}."
            ).format(example=example),
            INVALID,
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
