"""Waiting for an engine that starts."""

from __future__ import annotations

import time

from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import BUSY, EngineError
from groundproof_qgis.engine.exchange import pause

START_LIMIT_S = 300.0
"""For an engine on this computer to start."""
LOOK_S = 0.3


def wait_for_address(client: EngineClient) -> None:
    """Until the engine has an address. Raises EngineError: there is none, somebody cancelled, it took too long."""
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            _ = client.address
        except EngineError as err:
            if err.kind != BUSY or time.monotonic() > end:
                raise
            pause(LOOK_S, client.cancelled)
        else:
            return
