"""What PyQt gets wrong about objects of worker threads does not reach the engine's connection."""

from __future__ import annotations

import pytest

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.requests import Request, direct_manager, send
from tests.plugin.engine_waiting import in_worker


def test_pyqt_is_not_told_later_that_a_reply_of_a_worker_thread_is_gone(qgis_app) -> None:
    # On the main thread it would look for the address, where the worker's next reply may lie by then.
    def unwatched() -> None:
        manager = direct_manager()
        reply = send(manager, EngineAddress("http://127.0.0.1:9"), Request("GET", "/health"))
        with pytest.raises(TypeError):  # nothing is connected
            reply.destroyed.disconnect()

    in_worker(unwatched)
