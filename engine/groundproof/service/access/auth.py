"""Who may speak to the service: the right token, by the right name, from the right page.

Three different attackers, three checks, all before a request reaches the application:

- somebody without the token: it stands in `Authorization: Bearer`, in the password of HTTP Basic (what QGIS, GDAL and
  OWSLib can send), or in a session cookie that `GET /?token=TOKEN` sets;
- a web page whose name was rebound to this address (DNS rebinding): the Host header must be one of the service's names;
- a web page that makes the user's browser send requests: Origin and Sec-Fetch-Site, and more strictly for requests
  that carry what a browser adds by itself.

Knows headers. Refuses to know what is asked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundproof.errors import UsageError
from groundproof.service import problems
from groundproof.service.access.origins import Names, Origin, host_name, origin_of
from groundproof.service.settings import ServiceSettings

OPEN = frozenset({("GET", "/health"), ("HEAD", "/health")})
"""Answered without a token. So are the web page's own files, which hold no data: the page says how to get in."""
PAGE_FILES = "/app/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = 'Bearer realm="groundproof"'
BASIC = 'Basic realm="groundproof", charset="UTF-8"'

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For HTML. Scripts and styles only from files of our own. Pictures of scenes are shown from object URLs (blob:)."""
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For everything else: nobody renders it."""

ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    # QGIS and browsers otherwise show a running job's first boxes from their disk after it has ended. What may be
    # kept (downloads with an ETag, pictures, the page's files) says so itself.
    "Cache-Control": "no-store",
}
CORS_METHODS = "GET, HEAD, POST, PUT, DELETE"
CORS_HEADERS = "Authorization, Content-Type, Accept, Prefer, Last-Event-ID"
CORS_EXPOSED = "Location, Retry-After, Content-Crs, Link, Preference-Applied"
CORS_KEPT_S = 600


class _Refused(Exception):  # noqa: N818 - an answer, not a failure
    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Guard:
    """Lets requests through that may come through, and marks every answer with what browsers must not do with it.

    ASGI middleware.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._names = Names(settings)
        token = settings.token.get_secret_value().encode()
        if not token:
            raise UsageError("The service's token is empty. Give one, or leave it out to have one made.")
        self._token = _hashed(token)
        # Not the token itself: a cookie goes to every port of a host. It is the same after a restart.
        self._session = hmac.new(token, b"groundproof session", hashlib.sha256).hexdigest()
        self._cookie = f"groundproof_{settings.port}"
        self._behind_tls = bool(settings.public_url and settings.public_url.startswith("https:"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; pass on the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the service has no websockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        allowed: Origin | None = None

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(scope=message), headers.get("origin", "") if allowed else None)
            await send(message)

        try:
            self._check_host(headers)
            allowed = self._check_origin(scope, headers)
            if allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _preflight(headers)(scope, receive, marked)
                return
            if answer := self._sign_in(scope):
                await answer(scope, receive, marked)
                return
            if not _is_open(scope):
                self._check_token(scope, headers)
        except _Refused as err:
            answer = problems.response(problems.plain(err.status, str(err)), scope["path"], err.headers)
            await answer(scope, receive, marked)
            return
        await self._app(scope, receive, marked)

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            raise _Refused(400, "The request needs one Host header, such as localhost:8765.")
        if not self._names.answers_to(name):
            raise _Refused(
                421,
                f"This service does not answer to the name {name[:100]}. Use localhost, or let its operator add the "
                "name to those it answers to.",
            )

    def _check_origin(self, scope: Scope, headers: Headers) -> Origin | None:
        """The foreign origin the operator allows, if it is one; None for the service's own, and for none."""
        came = headers.get("origin")
        if came is None:
            if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not _is_link(scope, headers):
                raise _Refused(403, "Pages of other sites may not use this service.")
            return None
        origin = origin_of(came)
        if origin is not None and self._names.is_own(origin, scope["scheme"], headers["host"]):
            return None
        if origin is None or not self._names.is_allowed(origin):
            raise _Refused(
                403,
                f"Pages of {came[:100]} may not use this service. Its operator can add the origin to those allowed.",
            )
        return origin

    def _sign_in(self, scope: Scope) -> Response | None:
        """The answer to `GET /?token=...`: a cookie, and the address without the token."""
        if scope["method"] != "GET" or scope["path"] != f"{scope.get('root_path', '')}/":
            return None
        fields = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in fields if name == "token"]
        if not tokens:
            return None
        rest = urlencode([(name, value) for name, value in fields if name != "token"])
        scope["query_string"] = rest.encode()  # the server's access log reads it from here
        if not self._is_token(tokens[0].encode()):
            raise _unauthorised("The token in the address is not this service's.", Headers(scope=scope))
        # Relative, because a proxy may serve us below a path.
        answer = RedirectResponse("./" + (f"?{rest}" if rest else ""), 303, {"Cache-Control": "no-store"})
        answer.set_cookie(
            self._cookie,
            self._session,
            httponly=True,
            samesite="strict",
            secure=self._behind_tls or scope["scheme"] == "https",
        )
        return answer

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        given = headers.get("authorization")
        if given is not None:
            kind, _, value = given.partition(" ")
            token = {"bearer": _bearer, "basic": _password}.get(kind.lower(), _nothing)(value.strip())
            if not self._is_token(token):
                raise _unauthorised("The token is not this service's.", headers)
            return
        cookies = cookie_parser(headers.get("cookie", ""))
        if not hmac.compare_digest(cookies.get(self._cookie, "").encode(), self._session.encode()):
            raise _unauthorised("This service wants its token with every request.", headers)
        # A browser adds the cookie to whatever any page makes it send; an origin that is there was checked.
        sure = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
        if scope["method"] not in SAFE and not sure:
            raise _Refused(
                403,
                "A request that changes something and is signed in by cookie must say that it comes from the "
                "service's own page (Origin or Sec-Fetch-Site). Send Authorization: Bearer TOKEN instead.",
            )

    def _is_token(self, given: bytes) -> bool:
        return hmac.compare_digest(_hashed(given), self._token)


def _is_open(scope: Scope) -> bool:
    is_page_file = scope["method"] in ("GET", "HEAD") and scope["path"].startswith(PAGE_FILES)
    return is_page_file or (scope["method"], scope["path"]) in OPEN


def _hashed(text: bytes) -> bytes:
    """Of one length, so that comparing takes the same time for all."""
    return hashlib.sha256(text).digest()


def _bearer(value: str) -> bytes:
    return value.encode("latin-1")  # the header's bytes, as Starlette decoded them


def _password(value: str) -> bytes:
    try:
        return base64.b64decode(value.encode("latin-1"), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _nothing(_: str) -> bytes:
    return b""


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Whether a person followed a link to here: the page that holds the link learns nothing of the answer."""
    return scope["method"] in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"


def _unauthorised(sentence: str, headers: Headers) -> _Refused:
    # A script of our page shows the sentence itself; offered Basic, the browser would put up a dialog instead.
    of_script = headers.get("sec-fetch-dest") == "empty"
    return _Refused(
        401,
        f"{sentence} Send it as Authorization: Bearer TOKEN, or as the password of HTTP Basic; in a browser open "
        "/?token=TOKEN. It was printed, or given, when the service was started.",
        {"WWW-Authenticate": BEARER if of_script else f"{BEARER}, {BASIC}"},
    )


def _preflight(headers: Headers) -> Response:
    answer = Response(status_code=204)
    answer.headers["Access-Control-Allow-Methods"] = CORS_METHODS
    answer.headers["Access-Control-Allow-Headers"] = CORS_HEADERS
    answer.headers["Access-Control-Max-Age"] = str(CORS_KEPT_S)
    if headers.get("access-control-request-private-network") == "true":
        answer.headers["Access-Control-Allow-Private-Network"] = "true"
    return answer


def _mark(answer: MutableHeaders, allowed_origin: str | None) -> None:
    """Security and cache headers on every answer; CORS headers for an origin that the operator allows."""
    for name, value in ANSWER_HEADERS.items():
        answer.setdefault(name, value)
    is_page = answer.get("content-type", "").startswith("text/html")
    answer.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    answer.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if allowed_origin else "same-origin")
    answer.add_vary_header("Origin")
    if allowed_origin:
        answer["Access-Control-Allow-Origin"] = allowed_origin
        answer["Access-Control-Expose-Headers"] = CORS_EXPOSED
