"""Requests from several threads at once, some of them given up: every one gets its own answer."""

from __future__ import annotations

import random
import time
from collections import Counter

from qgis.PyQt.QtCore import QThread

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import CANCELLED, EngineError
from groundproof_qgis.engine.exchange import Waiting, exchange, never
from groundproof_qgis.engine.requests import Request
from tests.plugin.engine_faults import Call, FaultyServer
from tests.plugin.engine_waiting import in_worker, until


def _answer(call: Call) -> None:
    if "slow" in call.path:
        time.sleep(0.2)
    call.json({"asked": call.path})


class _Asker(QThread):
    def __init__(self, address: EngineAddress, name: str, patient: bool) -> None:
        super().__init__()
        self._address, self._name, self._patient = address, name, patient
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        chance = random.Random(self._name)
        for i in range(120 if self._patient else 15):
            path = f"/{self._name}-{i}" + ("" if self._patient else "-slow")
            end = time.monotonic() + chance.random() * 0.3
            cancelled = never if self._patient else lambda end=end: time.monotonic() > end
            body = b"x" * 5000 if i % 2 else None
            request = Request("PUT" if body else "GET", path, body)
            try:
                answer = exchange(self._address, request, cancelled, Waiting(10))
                self.seen["right" if path.encode() in answer.body else "wrong"] += 1
            except EngineError as err:
                self.seen["cancelled" if err.kind == CANCELLED else str(err)] += 1
            except Exception as err:  # noqa: BLE001 - counted below
                self.seen[repr(err)] += 1


def test_threads_that_ask_and_give_up_side_by_side_get_their_own_answers(qgis_app) -> None:
    # With replies in the threads themselves, PyQt took new ones for deleted ones here, or crashed.
    server = FaultyServer(_answer)
    try:
        address = EngineAddress(server.url, token_source=lambda: "our-token")
        askers = [_Asker(address, f"patient{n}", True) for n in range(3)]
        askers += [_Asker(address, f"hasty{n}", False) for n in range(2)]
        for asker in askers:
            asker.start()
        until(lambda: all(asker.isFinished() for asker in askers), 60)
    finally:
        server.stop()
    assert [asker.seen for asker in askers[:3]] == [Counter(right=120)] * 3
    for asker in askers[3:]:
        assert set(asker.seen) <= {"right", "cancelled"}, asker.seen
        assert sum(asker.seen.values()) == 15


def test_the_main_thread_may_wait_too(qgis_app) -> None:
    # qgis_process runs algorithms there.
    server = FaultyServer(_answer)
    try:
        address = EngineAddress(server.url, token_source=lambda: "our-token")

        def ask() -> bytes:
            return exchange(address, Request("GET", "/here"), never, Waiting(10)).body

        assert ask() == in_worker(ask)
    finally:
        server.stop()
