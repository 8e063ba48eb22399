"""Each click sends a key of its own, so that a question which Qt sends twice is one job of the engine."""

from __future__ import annotations

from uuid import UUID

from groundproof_qgis.asking.request import Question
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import BUSY, FAILED, EngineError
from groundproof_qgis.tasks.ask import Ask, AskListener
from tests.plugin.engine_faults import Call, FaultyServer
from tests.plugin.engine_waiting import in_worker


class Refusing:
    """Takes no question: busy once, then it fails."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def health(self) -> None:
        """It is there."""

    def patient(self) -> Refusing:
        """It never hurries."""
        return self

    def ask(self, _body: object, key: str) -> str:
        """Never."""
        self.keys.append(key)
        raise EngineError("later", BUSY if len(self.keys) == 1 else FAILED, retry_after_s=0.01)


def keys_of_one_click(folder) -> list[str]:
    ask = Ask(EngineAddress("http://127.0.0.1:1"), folder / "a.gpkg", AskListener())
    ask._client = Refusing()
    assert ask.ask(Question("How many?"), []).status == "failed"
    return ask._client.keys


def test_every_try_of_a_click_has_its_key_and_every_click_another(tmp_path, qgis_app):
    first, second = keys_of_one_click(tmp_path), keys_of_one_click(tmp_path)
    assert len(first) == 2
    assert len(set(first)) == 1
    assert set(first) != set(second)
    UUID(first[0])


def test_the_key_is_a_header(qgis_app):
    def answer(call: Call) -> None:
        call.json({"jobID": call.headers["Idempotency-Key"]}, 201)

    server = FaultyServer(answer)
    try:
        client = EngineClient(EngineAddress(server.url), lambda: False)
        assert in_worker(lambda: client.ask({}, "click-1")) == "click-1"
    finally:
        server.stop()
