"""Watching a job until it ends, whatever happens to the connection.

Knows that events are numbered, so that nothing is missed or told twice. Refuses to know what they say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import BUSY, UNREACHABLE, VERSION, EngineError
from groundproof_qgis.engine.exchange import LOOK_MS, Waiting, pause
from groundproof_qgis.engine.requests import Request
from groundproof_qgis.engine.sse import Event, EventParser, NotEventsError
from groundproof_qgis.i18n_text import tr

LAST = "done"
"""No event follows this one."""

SILENCE_S = 50.0
"""An engine says something every 15 s, a comment at least; after this long nobody is there any more."""

PAUSES_S = (0.3, 0.7, 1.5, 3.0, 5.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0)
"""Before each new try in a row without a new event; then it is given up. About a minute: an engine that was started
again has loaded its model by then."""

HIDDEN_TRIES = 2
"""Tries that nobody needs to hear of."""


def watch(
    client: EngineClient,
    job_id: str,
    after: int,
    on_events: Callable[[list[Event]], None],
    on_trouble: Callable[[str], None],
) -> Event:
    """Tell events behind number `after` and give the last one, `done`.

    on_events: called in this thread with batches, at most about ten times a second. on_trouble: a sentence when the
    connection broke off and is tried again. Raises EngineError: cancelled; missing when the engine does not know the
    job; unreachable when it stayed away, and the job can be watched again later from the last event told.
    """
    batches = _Batches(on_events, after)
    tries = 0
    while True:
        before = batches.number
        trouble = _once(client, job_id, batches)
        if batches.last is not None:
            return batches.last
        if batches.number > before:
            tries = 0
        if tries >= len(PAUSES_S):
            sentence = tr(
                "The connection to the engine is lost ({why}) The question is not: the engine keeps it, and goes on "
                "with it when it runs. Follow it again later."
            )
            raise EngineError(sentence.format(why=trouble), trouble.kind, trouble.status) from trouble
        if tries >= HIDDEN_TRIES:
            sentence = tr("{why} Trying again ({n} of {all}).")
            on_trouble(sentence.format(why=trouble, n=tries + 1, all=len(PAUSES_S)))
        pause(PAUSES_S[tries], client.cancelled)
        tries += 1


def _once(client: EngineClient, job_id: str, batches: _Batches) -> EngineError:
    """One connection, until it breaks off; why. Raises EngineError when another one would not help."""
    parser = EventParser()

    def taken(piece: bytes) -> None:
        batches.add(parser.feed(piece))

    request = Request(
        "GET",
        f"/jobs/{quote(job_id, safe='')}/events",
        headers={"Accept": "text/event-stream", "Last-Event-ID": str(batches.number)},
    )
    try:
        client.send(request, Waiting(SILENCE_S, taken=taken, looked=batches.flush_in_time))
    except EngineError as err:
        if err.kind not in (UNREACHABLE, BUSY):
            raise
        return err
    except NotEventsError as err:
        sentence = tr("What the engine tells about the question cannot be read: {why}.")
        raise EngineError(sentence.format(why=err), VERSION) from err
    finally:
        if not client.cancelled():
            batches.flush()
    return EngineError(tr("The engine ended the connection before the answer was complete."), UNREACHABLE)


class _Batches:
    """Events between two calls of `told`. number: of the last event that came. last: `done`, when it came."""

    def __init__(self, told: Callable[[list[Event]], None], number: int) -> None:
        self.number = number
        self.last: Event | None = None
        self._told = told
        self._waiting: list[Event] = []
        self._moment = 0.0

    def add(self, events: list[Event]) -> None:
        """What an engine tells again is left out."""
        new = [event for event in events if event.number > self.number]
        if not new:
            return
        self.number = new[-1].number
        self._waiting += new
        if new[-1].name == LAST:
            self.last = new[-1]
        self.flush_in_time()

    def flush_in_time(self) -> None:
        """Tell, unless the last batch was just told."""
        if time.monotonic() - self._moment >= LOOK_MS / 1000:
            self.flush()

    def flush(self) -> None:
        """Tell what has come."""
        if self._waiting:
            self._moment = time.monotonic()
            told, self._waiting = self._waiting, []
            self._told(told)
