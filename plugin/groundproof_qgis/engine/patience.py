"""Asking an engine again that is busy, or that could not be reached for a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from groundproof_qgis.engine.errors import BUSY, UNREACHABLE, EngineError
from groundproof_qgis.engine.exchange import Cancelled, pause

T = TypeVar("T")

DROP_PAUSES_S = (0.3, 1.0, 3.0, 6.0)
"""Before each new try after a connection broke off."""
BUSY_TRIES = 20
BUSY_PAUSE_S = 5.0
"""When the engine did not say how long."""
MAX_BUSY_PAUSE_S = 30.0


def patiently(
    call: Callable[[], T],
    cancelled: Cancelled,
    on_wait: Callable[[str], None],
    *,
    again_after_drop: bool,
) -> T:
    """What `call` gives, tried again while the engine is busy.

    again_after_drop: also when the connection broke off; only for calls that may be done twice. on_wait: told why.
    Raises the last EngineError.
    """
    busy, drops = 0, 0
    while True:
        try:
            return call()
        except EngineError as err:
            if err.kind == BUSY and busy < BUSY_TRIES:
                busy += 1
                seconds = min(err.retry_after_s or BUSY_PAUSE_S, MAX_BUSY_PAUSE_S)
            elif err.kind == UNREACHABLE and again_after_drop and drops < len(DROP_PAUSES_S):
                seconds = DROP_PAUSES_S[drops]
                drops += 1
            else:
                raise
            on_wait(str(err))
        pause(seconds, cancelled)
