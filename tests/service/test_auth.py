"""Who may speak to the service: tokens, names, origins."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import HTMLResponse
from starlette.websockets import WebSocketDisconnect

from groundproof.errors import UsageError
from groundproof.service.access.auth import Guard
from groundproof.service.access.origins import host_name

from .conftest import TOKEN, make_settings

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def guarded(folder: Path, base_url: str = "http://localhost:8765", **changes: Any) -> TestClient:
    app = FastAPI()

    @app.api_route("/thing", methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"])
    def thing() -> dict[str, str]:
        return {"it": "is there"}

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse("<p>page</p>")

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    app.add_middleware(Guard, settings=make_settings(folder, **changes))
    return TestClient(app, base_url=base_url, follow_redirects=False)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return guarded(tmp_path)


def basic(password: str | bytes, user: str = "anybody") -> dict[str, str]:
    password = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + password).decode()}


@pytest.mark.parametrize(
    "headers", [BEARER, {"Authorization": f"bearer  {TOKEN}"}, basic(TOKEN), basic(TOKEN, "")]
)
def test_the_token_opens_as_bearer_and_as_the_password_of_basic(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.get("/thing", headers=headers).status_code == 200
    assert client.post("/thing", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": TOKEN},
    {"Authorization": f"Digest {TOKEN}"}, basic("wrong"), basic(""), basic(TOKEN.upper()), basic(b"\xff\xfe"),
    {"Authorization": "Basic not base64!"}, {"Authorization": "Basic " + base64.b64encode(TOKEN.encode()).decode()},
    {"Cookie": f"groundproof_8765={TOKEN}"}, {"Cookie": "groundproof_8765="}, {"X-Token": TOKEN},
])  # fmt: skip
def test_nothing_else_opens(client: TestClient, headers: dict[str, str]) -> None:
    reply = client.get("/thing", headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (401, "application/problem+json")
    assert "Bearer" in reply.headers["www-authenticate"]
    assert "Basic" in reply.headers["www-authenticate"]
    assert TOKEN not in reply.text


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return guarded(tmp_path_factory.mktemp("guarded"))


@given(given_=st.binary(max_size=60))
@settings(max_examples=100)
def test_any_bytes_for_a_token_are_just_a_wrong_token(shared: TestClient, given_: bytes) -> None:
    client = shared
    printable = bytes(byte for byte in given_ if byte >= 32 and byte != 127)
    for value in (b"Bearer " + printable, b"Basic " + base64.b64encode(given_), b"Basic " + printable):
        assert client.get("/thing", headers={b"Authorization": value}).status_code == 401
    assert client.get("/", params={"token": given_.decode("latin-1")}).status_code == 401


def test_a_token_that_is_not_ascii_opens(tmp_path: Path) -> None:
    client = guarded(tmp_path, token="schlüssel-λ")  # noqa: S106
    assert client.get("/thing", headers={b"Authorization": "Bearer schlüssel-λ".encode()}).status_code == 200
    assert client.get("/thing", headers=basic("schlüssel-λ")).status_code == 200
    assert client.get("/", params={"token": "schlüssel-λ"}).status_code == 303
    assert client.get("/thing", headers={b"Authorization": "Bearer schlüssel-μ".encode()}).status_code == 401


def test_an_empty_token_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="token is empty"):
        guarded(tmp_path, token="").get("/thing")


def test_only_health_is_open(client: TestClient) -> None:
    assert client.get("/health").status_code == 200
    assert client.post("/health").status_code == 401
    assert client.get("/health/").status_code == 401
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/nowhere").status_code == 401


def signed_in(client: TestClient) -> TestClient:
    assert client.get("/", params={"token": TOKEN}).status_code == 303
    return client


def test_a_link_with_the_token_sets_a_cookie_and_leaves_the_address_clean(client: TestClient) -> None:
    reply = client.get("/", params={"token": TOKEN, "job": "7"})
    assert (reply.status_code, reply.headers["location"]) == (303, "./?job=7")
    assert reply.headers["cache-control"] == "no-store"
    cookie = reply.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 200
    assert client.get("/thing").status_code == 200


def test_the_cookie_travels_over_tls_only_where_there_is_tls(tmp_path: Path) -> None:
    client = guarded(tmp_path, public_url="https://maps.example/groundproof/")
    reply = client.get("/", params={"token": TOKEN}, headers={"Host": "maps.example"})
    assert "Secure" in reply.headers["set-cookie"]


def test_the_cookie_outlives_a_restart_with_the_same_token_only(tmp_path: Path) -> None:
    cookies = signed_in(guarded(tmp_path)).cookies
    same, other = guarded(tmp_path), guarded(tmp_path, token="another")  # noqa: S106
    same.cookies, other.cookies = cookies, cookies
    assert (same.get("/thing").status_code, other.get("/thing").status_code) == (200, 401)


def test_the_token_in_an_address_counts_nowhere_else(client: TestClient) -> None:
    assert client.get("/thing", params={"token": TOKEN}).status_code == 401
    assert client.post("/", params={"token": TOKEN}).status_code == 401
    assert client.get("/", params={"token": "wrong"}).status_code == 401


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 403),
    ({"Origin": "http://localhost:8765"}, 200),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Origin": "http://localhost:9000"}, 403),
    ({"Origin": "https://localhost:8765"}, 403),
    ({"Origin": "http://127.0.0.1:8765"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
])  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_elsewhere_cannot_use_the_cookie_to_change_something(
    client: TestClient, method: str, headers: dict[str, str], status: int
) -> None:
    assert signed_in(client).request(method, "/thing", headers=headers).status_code == status


@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, {"Origin": "garbage"}, {"Origin": "http://[::1"},
])  # fmt: skip
@pytest.mark.parametrize("credentials", [BEARER, basic(TOKEN)])
def test_foreign_pages_are_refused_whatever_they_carry(
    client: TestClient, headers: dict[str, str], credentials: dict[str, str]
) -> None:
    reply = client.get("/thing", headers={**headers, **credentials})
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers


def test_a_link_from_another_site_may_lead_here(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", **BEARER}
    assert client.get("/", headers=headers).status_code == 200
    assert client.post("/thing", headers=headers).status_code == 403


@pytest.mark.parametrize(("host", "status"), [
    ("localhost:8765", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("127.0.0.1:8765", 200), ("127.3.2.1", 200),
    ("[::1]:8765", 200), ("maps.example", 200), ("gpu-box:80", 200), ("gpu-box.", 200), ("testserver", 200),
    ("evil.example", 421), ("localhost.evil.example", 421), ("10.0.0.7:8765", 421), ("[fe80::1]", 421),
    ("0.0.0.0:8765", 421), ("2130706433", 421), ("", 400), ("local host", 400), ("localhost:port", 400),
    ("user@localhost", 400), ("localhost/evil.example", 400), ("[::1", 400),
])  # fmt: skip
def test_only_the_services_own_names_are_answered(tmp_path: Path, host: str, status: int) -> None:
    client = guarded(tmp_path, hosts=("gpu-box", "testserver"), public_url="https://maps.example/")
    reply = client.get("/thing", headers={"Host": host, **BEARER})
    assert reply.status_code == status
    assert client.get("/health", headers={"Host": host}).status_code == status


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_a_host_header_is_a_name_or_nothing(text: str) -> None:
    name = host_name(text)
    assert name is None or (name and not set(name) & set("/@?# "))


def test_a_service_behind_a_proxy_knows_its_own_page(tmp_path: Path) -> None:
    client = guarded(tmp_path, public_url="https://maps.example/groundproof")
    headers = {"Host": "maps.example", **BEARER}
    assert client.post("/thing", headers={**headers, "Origin": "https://maps.example"}).status_code == 200
    assert client.post("/thing", headers={**headers, "Origin": "https://maps.example:444"}).status_code == 403


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def test_pages_the_operator_names_may_call_with_the_token(tmp_path: Path) -> None:
    client = guarded(tmp_path, origins=("https://portal.example",))
    preflight = client.options("/thing", headers={"Origin": "https://portal.example", **PREFLIGHT})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://portal.example"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in preflight.headers
    reply = client.post("/thing", headers={"Origin": "https://portal.example", **BEARER})
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "https://portal.example"
    assert "Origin" in reply.headers["vary"]
    assert client.post("/thing", headers={"Origin": "https://portal.example"}).status_code == 401
    for origin in ("https://portal.example.evil.example", "http://portal.example", "https://evil.example"):
        refused = client.options("/thing", headers={"Origin": origin, **PREFLIGHT})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


def test_without_named_origins_there_is_no_cors_header_at_all(client: TestClient) -> None:
    for reply in (
        client.options("/thing", headers={"Origin": "http://localhost:8765", **PREFLIGHT, **BEARER}),
        client.get("/thing", headers={"Origin": "http://localhost:8765", **BEARER}),
    ):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_every_answer_tells_browsers_what_not_to_do_with_it(client: TestClient) -> None:
    replies = [
        client.get("/"),
        client.get("/health"),
        client.get("/", headers=BEARER),
        client.get("/x", headers=BEARER),
    ]
    assert [reply.status_code for reply in replies] == [401, 200, 200, 404]
    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    policy = replies[2].headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_script_of_the_page_gets_no_dialog_of_the_browser(client: TestClient) -> None:
    reply = client.get("/thing", headers={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"})
    assert reply.status_code == 401
    assert "Basic" not in reply.headers["www-authenticate"]


def test_there_are_no_websockets(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket", headers=BEARER):
        pass


def test_the_whole_service_is_guarded(tmp_path: Path) -> None:
    from groundproof.service.app import create_app
    from tests.engine.square_finder import SquareFinder

    app = create_app(make_settings(tmp_path), SquareFinder())
    with TestClient(app) as client:
        for path, operations in app.openapi()["paths"].items():
            for method in operations:
                reply = client.request(method, path.replace("{x0},{y0}", "0,0"))
                assert reply.status_code == (200 if path == "/health" else 401), (method, path)
