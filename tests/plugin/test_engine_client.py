"""What a person is told when an engine, or something in its place, does not do what it should."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsNetworkAccessManager, QgsSettings

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.exchange import Waiting
from groundproof_qgis.engine.plugin_version import plugin_version
from groundproof_qgis.engine.requests import Request
from groundproof_qgis.imagery.scene import PixelWindow, SceneSpec
from tests.plugin.engine_faults import HEALTH, Call, FaultyServer, self_signed
from tests.plugin.engine_waiting import in_worker

Serve = Callable[..., FaultyServer]


@pytest.fixture
def serve(qgis_app) -> Iterator[Serve]:
    servers: list[FaultyServer] = []

    def start(answer: Callable[[Call], None], tls: Path | None = None) -> FaultyServer:
        servers.append(FaultyServer(answer, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def fails(call: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        in_worker(call)
    return caught.value


def client_of(server: FaultyServer, **options) -> EngineClient:
    return EngineClient(EngineAddress(server.url, token_source=lambda: "our-token"), **options)


def test_the_health_of_an_engine_tells_its_versions(serve: Serve) -> None:
    server = serve(lambda call: call.json(HEALTH))
    health = in_worker(client_of(server).health)
    assert (health.version, health.api) == ("0.1.0", "1")
    assert server.calls[0].headers["Authorization"] == "Bearer our-token"


def test_another_program_is_not_taken_for_an_engine(serve: Serve) -> None:
    for answer in (
        lambda call: call.json({"status": "UP"}),
        lambda call: call.bytes(b"<html>It works!</html>"),
        lambda call: call.json([1, 2]),
        lambda call: call.bytes(b"\xff\xfe\x00"),
    ):
        server = serve(answer)
        error = fails(client_of(server).health)
        assert error.kind == "version"
        assert str(error).startswith(f"{server.url} is not a groundproof engine")


def test_an_engine_of_another_interface_names_both_versions(serve: Serve) -> None:
    server = serve(lambda call: call.json({**HEALTH, "api": "2", "version": "3.1.4"}))
    error = fails(client_of(server).health)
    assert error.kind == "version"
    assert str(error) == (
        f"The engine at {server.url} (version 3.1.4) speaks interface 2; this plugin (version {plugin_version()}) "
        "speaks interface 1. Update the older of the two."
    )


def test_no_engine_at_the_port(qgis_app) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = fails(EngineClient(EngineAddress(url)).health)
    assert (error.kind, str(error)) == (
        "unreachable",
        f"No engine answers at {url}. Check that it runs, and its port.",
    )


def test_no_such_host(qgis_app) -> None:
    error = fails(EngineClient(EngineAddress("http://no-such-host.invalid:8765")).health)
    assert error.kind == "unreachable"


def test_something_that_does_not_speak_http(qgis_app) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            while True:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.close()

        threading.Thread(target=babble, daemon=True).start()
        error = fails(EngineClient(EngineAddress(f"http://127.0.0.1:{listener.getsockname()[1]}")).health)
    assert error.kind == "unreachable"
    assert "broke off" in str(error)


def test_a_certificate_that_nobody_trusts(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda call: call.json(HEALTH), self_signed(tmp_path))
    error = fails(client_of(server).health)
    assert error.kind == "tls"
    assert str(error).startswith(f"No trusted connection to {server.url}: ")
    assert "self" in str(error)
    assert not server.calls


@pytest.fixture
def use_proxy(qgis_app) -> Iterator[Callable[[int], None]]:
    """Sets QGIS's proxy as its options do: a port of this computer."""

    def use(port: int) -> None:
        for name, value in {
            "Enabled": True,
            "Host": "127.0.0.1",
            "Port": str(port),
            "Type": "HttpProxy",
        }.items():
            QgsSettings().setValue(f"proxy/proxy{name}", value)
        QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()

    yield use
    QgsSettings().remove("proxy")
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password(serve: Serve, use_proxy: Callable[[int], None], scheme: str) -> None:
    proxy = serve(lambda call: call.bytes(b"no", 407, Proxy_Authenticate='Basic realm="office"'))
    use_proxy(proxy.server_port)
    error = fails(EngineClient(EngineAddress(f"{scheme}://engine.example:8765")).health)
    assert error.kind == "proxy"
    assert str(error).startswith("The proxy wants a user name and password. ")
    assert proxy.calls


def test_a_proxy_that_does_not_answer_is_hinted_at(use_proxy: Callable[[int], None]) -> None:
    use_proxy(9)
    plain = fails(EngineClient(EngineAddress("http://engine.example:8765")).health)
    assert plain.kind == "unreachable"
    assert "the proxy that QGIS is set to use" in str(plain)
    encrypted = fails(EngineClient(EngineAddress("https://engine.example:8765")).health)
    assert encrypted.kind in ("unreachable", "proxy")
    assert "proxy" in str(encrypted).lower()


def test_an_engine_on_this_computer_is_reached_past_the_proxy(
    serve: Serve, use_proxy: Callable[[int], None]
) -> None:
    server = serve(lambda call: call.json(HEALTH))
    use_proxy(9)
    assert in_worker(client_of(server).health).api == "1"


def test_a_wrong_token_is_named_and_no_dialog_is_offered(serve: Serve) -> None:
    server = serve(lambda call: call.problem(401, "The token is not this service's."))
    error = fails(client_of(server).ready)
    assert (error.kind, error.status) == ("unauthorized", 401)
    assert str(error).startswith(f"The engine at {server.url} does not accept this token.")
    assert server.calls[0].headers["Sec-Fetch-Dest"] == "empty"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "invalid"),
        (404, "missing"),
        (409, "invalid"),
        (413, "invalid"),
        (422, "invalid"),
        (500, "failed"),
    ],
)
def test_the_engines_own_sentence_is_the_error(serve: Serve, status: int, kind: str) -> None:
    server = serve(lambda call: call.problem(status, "This came, do that."))
    error = fails(lambda: client_of(server).ask({}))
    assert (error.kind, error.status, str(error)) == (kind, status, "This came, do that.")


def test_a_gateway_without_its_engine(serve: Serve) -> None:
    server = serve(lambda call: call.bytes(b"<h1>Bad gateway</h1>", 502))
    error = fails(client_of(server).ready)
    assert error.kind == "unreachable"
    assert "502 Bad Gateway" in str(error)


def test_a_busy_engine_says_when_to_come_back(serve: Serve) -> None:
    server = serve(lambda call: call.problem(429, "64 jobs wait or run.", Retry_After="10"))
    error = fails(lambda: client_of(server).ask({}))
    assert (error.kind, error.retry_after_s) == ("busy", 10.0)


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    other = serve(lambda call: call.json(HEALTH))
    server = serve(lambda call: call.bytes(b"", 307, Location=f"{other.url}/health"))
    error = fails(client_of(server).health)
    assert other.url in str(error)
    assert not other.calls


def test_an_answer_that_breaks_off(serve: Serve) -> None:
    def short(call: Call) -> None:
        call.begin(Content_Length="1000")
        call.write(b'{"id": ')

    error = fails(lambda: client_of(serve(short)).scene("x"))
    assert error.kind == "unreachable"
    assert "broke off" in str(error)


def test_an_answer_without_an_end_is_not_kept_in_memory(serve: Serve) -> None:
    def huge(call: Call) -> None:
        call.begin()
        while not call.server.over.is_set():
            call.write(b" " * 65536)

    client = client_of(serve(huge))
    error = fails(lambda: client.send(Request("GET", "/x"), Waiting(max_bytes=1 << 20)))
    assert (error.kind, "larger than 1 MB" in str(error)) == ("failed", True)


def test_a_silent_engine_is_given_up(serve: Serve) -> None:
    client = client_of(serve(lambda call: call.server.over.wait(20)))
    error = fails(lambda: client.send(Request("GET", "/x"), Waiting(silence_s=0.5)))
    assert error.kind == "unreachable"
    assert "has said nothing for" in str(error)


def test_waiting_for_a_silent_engine_can_be_cancelled(serve: Serve) -> None:
    asked = threading.Event()

    def silent(call: Call) -> None:
        asked.set()
        call.server.over.wait(20)

    client = client_of(serve(silent), cancelled=asked.is_set)
    begun = time.monotonic()
    assert fails(client.ready).kind == "cancelled"
    assert time.monotonic() - begun < 5  # seconds; far below the server's silence


def test_an_upload_that_nobody_reads_can_be_cancelled(serve: Serve) -> None:
    asked = threading.Event()

    def stuck(call: Call) -> None:
        asked.set()
        call.server.over.wait(20)

    server = serve(stuck)
    server.reads_bodies = False
    window = PixelWindow(0, 0, 8192, 4096, bytes(8192 * 4096), "application/octet-stream")
    client = client_of(server, cancelled=asked.is_set)
    assert fails(lambda: client.put_window("s", window)).kind == "cancelled"


def test_the_answer_to_a_question_just_sent_is_waited_for_a_little(serve: Serve) -> None:
    asked = threading.Event()

    def slow(call: Call) -> None:
        asked.set()
        call.server.over.wait(0.6)
        call.json({"jobID": "j1"}, 201)

    client = client_of(serve(slow), cancelled=asked.is_set)
    assert in_worker(lambda: client.ask({})) == "j1"


def test_raw_windows_say_their_size_and_images_do_not(serve: Serve) -> None:
    server = serve(lambda call: call.json({"finished": False}))
    client = client_of(server)
    in_worker(lambda: client.put_window("s", PixelWindow(3, 4, 2, 1, b"abcdef", "application/octet-stream")))
    in_worker(lambda: client.put_window("s", PixelWindow(3, 4, 2, 1, b"png", "image/png")))
    assert [call.path for call in server.calls] == [
        "/scenes/s/windows/3,4?width=2&height=1",
        "/scenes/s/windows/3,4",
    ]
    assert [call.body for call in server.calls] == [b"abcdef", b"png"]


def test_a_scene_is_declared_as_it_is(serve: Serve) -> None:
    server = serve(lambda call: call.json({"id": "abc"}, 201))
    spec = SceneSpec("roof ü", 10, 20, None, None)
    assert in_worker(lambda: client_of(server).create_scene(spec)) == "abc"
    assert "roof ü".encode() in server.calls[0].body


def test_a_download_is_whole_or_not_there(serve: Serve, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096

    def breaks_off(call: Call) -> None:
        call.begin(Content_Length=str(len(body)))
        call.write(body[: len(body) // 2])

    assert (
        fails(lambda: client_of(serve(breaks_off)).download("/f", tmp_path / "a.gpkg")).kind == "unreachable"
    )
    assert not list(tmp_path.iterdir())
    seen: list[int] = []
    server = serve(lambda call: call.bytes(body, Groundproof_Partial="3 of 7 tiles"))
    got = in_worker(lambda: client_of(server).download("/f", tmp_path / "a.gpkg", seen.append))
    assert got.path.read_bytes() == body
    assert got.partial == "3 of 7 tiles"
    assert seen[-1] == len(body)
    with pytest.raises(FileExistsError):
        in_worker(lambda: client_of(server).download("/f", tmp_path / "a.gpkg"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gpkg"]


def test_a_job_that_has_ended_is_not_deleted_by_cancelling(serve: Serve) -> None:
    server = serve(lambda call: call.json({"jobID": "j", "status": "successful"}))
    in_worker(lambda: client_of(server).cancel("j"))
    assert [call.command for call in server.calls] == ["GET"]


def test_a_process_is_waited_for(serve: Serve) -> None:
    looks = iter(["accepted", "running", "successful"])

    def answer(call: Call) -> None:
        if call.command == "POST":
            assert call.headers["Prefer"] == "respond-async"
            call.json({"jobID": "p1"}, 201)
        elif call.path == "/jobs/p1":
            call.json({"status": next(looks)})
        else:
            call.json({"summary": "7"})

    assert in_worker(lambda: client_of(serve(answer)).execute_job("audit", {"job": "j"})) == (
        "p1",
        {"summary": "7"},
    )


def test_qgis_authentication_configurations_are_used(serve: Serve) -> None:
    server = serve(lambda call: call.json(HEALTH))
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("master password of a test", True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("engine")
    config.setConfig("username", "me")
    config.setConfig("password", "the-engine-token")
    assert manager.storeAuthenticationConfig(config)
    in_worker(EngineClient(EngineAddress(server.url, config.id())).health)
    assert server.calls[0].headers["Authorization"] == "Basic bWU6dGhlLWVuZ2luZS10b2tlbg=="
    error = fails(EngineClient(EngineAddress(server.url, "no0such")).health)
    assert error.kind == "unauthorized"
    assert "no0such cannot be used" in str(error)
    assert len(server.calls) == 1


def test_a_look_that_nobody_waits_for_never_asks_for_the_master_password(serve: Serve) -> None:
    server = serve(lambda call: call.json(HEALTH))
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("master password of a test", True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("locked engine")
    config.setConfig("username", "me")
    config.setConfig("password", "the-engine-token")
    assert manager.storeAuthenticationConfig(config)
    client = EngineClient(EngineAddress(server.url, config.id()))
    manager.clearMasterPassword()
    try:
        error = fails(client.quietly().health)
        assert (error.kind, len(server.calls)) == ("unauthorized", 0)
        assert str(error) == (
            "QGIS's authentication database is locked. Press Try again and enter the master password."
        )
        in_worker(EngineClient(EngineAddress(server.url)).quietly().health)
    finally:
        assert manager.setMasterPassword("master password of a test", True)
    in_worker(client.quietly().health)
    assert [("Authorization" in call.headers) for call in server.calls] == [False, True]
