"""What can go wrong between the plugin and an engine.

Knows the kinds, so that the dock can offer the right button. Refuses to know how they come about.
"""

from __future__ import annotations

UNREACHABLE = "unreachable"
"""Nobody answers, or the connection broke off. Trying again may help."""
UNAUTHORIZED = "unauthorized"
"""The engine wants another token."""
TLS = "tls"
"""The engine's certificate is not accepted, or it speaks no TLS."""
PROXY = "proxy"
"""The proxy between does not let the request through."""
VERSION = "version"
"""Something answers, but no engine this plugin can talk to."""
BUSY = "busy"
"""It asks to be asked again later."""
MISSING = "missing"
"""It does not have what was named."""
INVALID = "invalid"
"""It refuses what it was asked for; the sentence says why."""
FAILED = "failed"
"""It tried and could not."""
CANCELLED = "cancelled"
"""Somebody on this side did not want to wait any longer."""

KINDS = (UNREACHABLE, UNAUTHORIZED, TLS, PROXY, VERSION, BUSY, MISSING, INVALID, FAILED, CANCELLED)


class EngineError(Exception):
    """An engine did not do what it was asked. `str()` is a sentence for a person.

    kind: one of KINDS. status: of HTTP, None when there was no answer. retry_after_s: with BUSY, when to come back,
    seconds; None when it was not said.
    """

    def __init__(
        self, sentence: str, kind: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
