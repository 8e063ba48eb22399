"""The service's own address, as the client sees it, for links.

Knows the operator's public address and the request's. Refuses to know paths.
"""

from __future__ import annotations

from fastapi import Request

from groundproof.service.state import service_of


def base_url(request: Request) -> str:
    """Such as "https://imagery.example/groundproof", without a slash at its end."""
    return (service_of(request).settings.public_url or str(request.base_url)).rstrip("/")
