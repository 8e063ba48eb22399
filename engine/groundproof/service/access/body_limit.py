"""No request's body may be larger than what is asked for needs: checked before it is read, and while it comes.

Knows which requests carry images. Refuses to know what is in them.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundproof.service import problems
from groundproof.service.settings import MIB, ServiceSettings

JSON_BYTES = MIB
"""Of a request that is no upload: it is held in memory whole."""
TABLE_BYTES = 64 * MIB
"""Of a request with rows in it, a review or an import: 50,000 boxes with their texts."""
ROWS = re.compile(r"/processes/(?:audit|review-export|import)/execution")
WINDOW = re.compile(r"/scenes/[^/]+/windows/[^/]+")


class BodyLimit:
    """Refuses (413) bodies over the limit of their kind. ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._upload_bytes = settings.limits.upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit(scope, headers)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            problem = problems.plain(413, _sentence(limit))
            await problems.response(problem, scope["path"], {"Connection": "close"})(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            if message["type"] == "http.request":
                came += len(message.get("body", b""))
                if came > limit:
                    raise HTTPException(413, _sentence(limit), {"Connection": "close"})
            return message

        await self._app(scope, counted, send)

    def _limit(self, scope: Scope, headers: Headers) -> int:
        if scope["method"] == "PUT" and WINDOW.fullmatch(scope["path"]):
            return self._upload_bytes
        if scope["method"] == "POST" and scope["path"] == "/scenes/image":
            return self._upload_bytes
        form = headers.get("content-type", "").strip().lower().startswith("multipart/form-data")
        if scope["method"] == "POST" and scope["path"] == "/ask" and form:
            return self._upload_bytes
        if scope["method"] == "POST" and ROWS.fullmatch(scope["path"]):
            return min(TABLE_BYTES, self._upload_bytes)
        return JSON_BYTES


def _sentence(limit: int) -> str:
    return (
        f"The request's body is larger than the {limit:,} bytes taken here. Send images in pieces: POST /scenes, then "
        "one PUT per window."
    )
