"""The address of a model server: what a person may write, and what may be sent there.

Knows URLs, environment variables and what is loopback. Refuses to open a connection.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from groundproof.errors import ModelError

ImageFormat = Literal["webp", "png", "jpeg"]

KEY = "GROUNDPROOF_MODEL_KEY"
"""Environment variable with the server's key. From there it goes into one header and nowhere else."""

OPENAI_KEY = "OPENAI_API_KEY"
OPENAI_HOST = "api.openai.com"
"""The only server that OPENAI_API_KEY is sent to: it lies in many environments for other programs."""

INSECURE = "GROUNDPROOF_INSECURE_MODEL"
"""Set to 1 to send a key over http:// to another machine."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible API. url: up to and with /v1, without a slash behind it. model: the served
    model's id; None: the only one it serves. images: how tiles are sent; None: what is best for the place.
    """

    url: str
    model: str | None = None
    images: ImageFormat | None = None

    @property
    def host(self) -> str:
        """Name or address, in lower case."""
        return urlsplit(self.url).hostname or ""

    @property
    def server(self) -> str:
        """HOST:PORT, for identities and messages."""
        parts = urlsplit(self.url)
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{name}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    @property
    def root(self) -> str:
        """The server's own address, above /v1, where vLLM has its other routes."""
        return self.url.removesuffix("/v1")

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, as far as the address itself says."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def image_format(self) -> ImageFormat:
        """How tiles are sent, without loss unless asked otherwise; `encoding.py` has the numbers."""
        return self.images or ("png" if self.loopback else "webp")

    def key(self) -> str | None:
        """The key to send, from the environment.

        Raises: ModelError where it would cross a network unencrypted, or cannot be a key.
        """
        name = KEY
        found = os.environ.get(KEY, "").strip()
        if not found and self.host == OPENAI_HOST:
            name, found = OPENAI_KEY, os.environ.get(OPENAI_KEY, "").strip()
        if not found:
            return None
        if not (found.isascii() and found.isprintable()) or " " in found:
            raise ModelError(f"{name} holds characters that no key has; set it to the key alone.")
        if self.url.startswith("http:") and not self.loopback and os.environ.get(INSECURE) != "1":
            raise ModelError(
                f"{name} is set and {self.url} is not encrypted, so everyone on the way could read the key and "
                f"the imagery. Use https://, unset {name}, or allow it with {INSECURE}=1."
            )
        return found


def parse_endpoint(text: str) -> Endpoint:
    """http(s)://HOST[:PORT]/v1[?images=webp|png|jpeg][#MODEL].

    Raises: ModelError for anything else; a password or key written into the URL is not repeated.
    """
    how = "An address looks like http://localhost:8000/v1, with #MODEL behind it where several are served."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as err:
        raise ModelError(f"The model server's address is not a URL ({err}). {how}") from err
    if parts.username is not None or parts.password is not None:
        raise ModelError(
            f"The model server's address holds a user name or password, which would be written into every result. "
            f"Leave it out and set {KEY} instead."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ModelError(f"{text!r} is not the address of a model server. {how}")
    images: ImageFormat | None = None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "images" or value not in get_args(ImageFormat):
            raise ModelError(
                f"The model server's address has an option {name!r} that is not known; the only one is "
                f"images={'|'.join(get_args(ImageFormat))}. A key belongs into {KEY}, not into the address."
            )
        images = value  # type: ignore[assignment]  # checked above
    path = parts.path.rstrip("/")
    if not path or path.endswith(("/chat/completions", "/models")):
        raise ModelError(f"{text!r} is not where the API begins, which is usually at /v1. {how}")
    url = urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))
    return Endpoint(url, unquote(parts.fragment) or None, images)
