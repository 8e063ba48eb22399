"""Every error as application/problem+json (RFC 9457): what came, what is allowed, what to do.

Knows `errors.OUTCOMES` and the errors of FastAPI and Starlette. Tells a client nothing of what it did not cause: an
unexpected error goes to the log, with a number that the answer carries too.
"""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundproof.errors import BusyError, GroundproofError, outcome

MEDIA_TYPE = "application/problem+json"
SHOWN_CHARACTERS = 60
SHOWN_ERRORS = 20

log = logging.getLogger(__name__)


def document(err: BaseException) -> dict[str, Any]:
    """The problem document of an error: type, title, status, detail.

    Errors on purpose say their sentence; an attribute `problem_type` of their class becomes `type`. Anything else
    says that it was unexpected and has an `id`, under which its traceback is logged.
    """
    if isinstance(err, GroundproofError):
        return {
            "type": getattr(err, "problem_type", f"urn:groundproof:{_kind(err)}"),
            "title": _kind(err).replace("-", " ").capitalize(),
            "status": outcome(err).http_status,
            "detail": str(err),
        }
    number = secrets.token_hex(8)
    log.error("unexpected error %s", number, exc_info=err)
    return {
        **plain(
            500, f"Something went wrong that should not have. The service's log says what, under {number}."
        ),
        "id": number,
    }


def plain(status: int, detail: str) -> dict[str, Any]:
    """A problem that is all said by its HTTP status and one sentence."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def response(problem: dict[str, Any], instance: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document as an answer. instance: the path asked for, without its query (which may hold a token)."""
    return JSONResponse({**problem, "instance": instance}, problem["status"], headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""
    app.add_exception_handler(GroundproofError, _on_purpose)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(_Unexpected)


async def _on_purpose(request: Request, err: Exception) -> JSONResponse:
    headers = {"Retry-After": str(err.retry_after_s)} if isinstance(err, BusyError) else None
    return response(document(err), request.url.path, headers)


async def _http(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, HTTPException)  # noqa: S101 - registered for it
    detail = {
        404: f"There is nothing at {request.url.path[:200]}. GET /openapi.json lists what there is.",
        405: f"{request.method} is not answered here; the header Allow says what is.",
    }.get(err.status_code, err.detail)
    sentence = detail if err.detail == HTTPStatus(err.status_code).phrase else err.detail
    headers = dict(err.headers) if err.headers else None
    return response(plain(err.status_code, sentence), request.url.path, headers)


async def _invalid(request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, RequestValidationError)  # noqa: S101 - registered for it
    errors = [_wrong(item) for item in err.errors()[:SHOWN_ERRORS]]
    problem = {
        **plain(422, " ".join(item["detail"] for item in errors[:3])),
        "type": "urn:groundproof:invalid-request",
        "title": "Invalid request",
        "errors": errors,
    }
    return response(problem, request.url.path)


def _wrong(item: dict[str, Any]) -> dict[str, str]:
    """One thing that is wrong: where, and a sentence with the field, what came and what is allowed."""
    place = [str(part) for part in item["loc"]]
    where = place.pop(0) if place and place[0] in ("body", "query", "path", "header", "cookie") else "body"
    name = ".".join(place) or where
    message = item["msg"].removeprefix("Value error, ").rstrip(".")
    if item["type"] == "missing":
        sentence = f"{name} is missing."
    elif item["type"] == "json_invalid":
        why = str(item.get("ctx", {}).get("error", message)).rstrip(".")
        return {"in": "body", "field": "", "detail": f"The body is not JSON: {why}."}
    elif item["type"] == "extra_forbidden":
        sentence = f"{name} is not a field of this request. Leave it out, or check its spelling."
    elif item["type"] in ("string_too_short", "too_short"):
        sentence = f"{name} is empty or too short; it needs at least {_limit(item)}."
    elif item["type"] in ("string_too_long", "too_long"):
        sentence = f"{name} is too long; it may have at most {_limit(item)}."
    else:
        sentence = f"{name}: got {shortened(item.get('input'))}. {message[:1].upper()}{message[1:]}."
    return {"in": where, "field": ".".join(place), "detail": sentence}


def _limit(item: dict[str, Any]) -> str:
    number = item["ctx"].get("min_length", item["ctx"].get("max_length"))
    if item["type"].startswith("string"):
        return f"{number} character{'' if number == 1 else 's'}"
    return f"{number} {'entry' if number == 1 else 'entries'}"


def shortened(value: Any) -> str:
    """A value as a person would quote it; never its bytes, never all of a long one."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    if isinstance(value, dict):
        return f"an object of {len(value)} fields"
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}... ({len(text)} characters)"


def _kind(err: GroundproofError) -> str:
    """NotFoundError -> "not-found"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(err).__name__.removesuffix("Error")).lower() or "error"


class _Unexpected:
    """Turns what nobody raised on purpose into a problem, and goes on.

    A handler for Exception would see the error raised again behind it (Starlette does so for debuggers), and the
    server would log it twice.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:  # nobody is there to be told
            return
        except Exception as err:
            if begun:  # half an answer is out: only a broken connection says that it is not whole
                raise
            await response(document(err), scope["path"])(scope, receive, send)
