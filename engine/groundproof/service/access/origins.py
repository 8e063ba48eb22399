"""Names and web origins: which host a request was meant for, and which page sent it.

Knows the text of the headers Host and Origin. Refuses to know tokens and answers.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from groundproof.service.settings import ServiceSettings

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, as browsers compare them."""

    scheme: str
    host: str
    port: int


def origin_of(text: str) -> Origin | None:
    """An origin from a header or a URL; None when it is none ("null", garbage)."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return None
    return Origin(parts.scheme, parts.hostname.rstrip("."), port or DEFAULT_PORTS[parts.scheme])


def host_name(header: str) -> str | None:
    """The name in a Host header, lower case, without its port; None when it is malformed."""
    origin = origin_of(f"http://{header}") if header and not set(header) & set("/\\@?# ") else None
    return None if origin is None else origin.host


class Names:
    """The names a service answers to. Anything else in a Host header is a page that was rebound to this address."""

    def __init__(self, settings: ServiceSettings) -> None:
        public = origin_of(settings.public_url) if settings.public_url else None
        given = (settings.host, *settings.hosts, *([public.host] if public else []))
        self._names = {name.lower().strip("[]").rstrip(".") for name in given}
        self._public = public
        self._foreign = {origin for text in settings.origins if (origin := origin_of(text))}

    def answers_to(self, host: str) -> bool:
        """host: as `host_name` gives it."""
        return host in self._names or _is_loopback(host)

    def is_own(self, origin: Origin, scheme: str, host_header: str) -> bool:
        """Whether a page of this service sent the request. scheme: the request's."""
        return origin == self._public or origin == origin_of(f"{scheme}://{host_header}")

    def is_allowed(self, origin: Origin) -> bool:
        """Whether the operator lets pages of this origin call the service."""
        return origin in self._foreign


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
