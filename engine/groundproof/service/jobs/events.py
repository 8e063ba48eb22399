"""What a client hears of one job: numbered events in a file, so that nobody who comes late misses one.

Knows a file of JSON lines and who waits for its next one. Refuses to know what the events say.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAST = "done"
"""No event follows this one."""

POLL_S = 1.0
"""Upper bound of how long a follower sleeps; it is woken when an event comes."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. number: 1, 2, ... within its job. name: plan, evidence, synthesis, ... data: JSON-able."""

    number: int
    name: str
    data: dict[str, Any]

    def line(self) -> str:
        """As it stands in the file."""
        return json.dumps({"id": self.number, "event": self.name, "data": self.data}, ensure_ascii=False)


class EventLog:
    """The events of one job. One thread appends; any number of coroutines follow.

    A line cut off by a kill is dropped when the file is opened again, so numbers have no gaps.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._events: list[Event] = list(_read(path))
        self._followers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def __len__(self) -> int:
        return len(self._events)

    def after(self, number: int = 0) -> list[Event]:
        """Events behind this number, so far."""
        return self._events[max(number, 0) :]

    @property
    def ended(self) -> bool:
        """Whether the last event has come."""
        return bool(self._events) and self._events[-1].name == LAST

    def append(self, name: str, data: dict[str, Any]) -> Event:
        """Keep one event and wake who waits. Raises OSError when the disk does not take it."""
        with self._lock:
            event = Event(len(self._events) + 1, name, data)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(event.line() + "\n")
            self._events.append(event)
            followers = list(self._followers)
        for loop, bell in followers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(bell.set)
        return event

    async def follow(self, number: int = 0) -> AsyncIterator[Event]:
        """Events behind this number, those to come too, up to and with the last one."""
        follower = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._followers.add(follower)
        try:
            while True:
                follower[1].clear()
                for event in self.after(number):
                    number = event.number
                    yield event
                    if event.name == LAST:
                        return
                if len(self._events) > number:
                    continue
                try:
                    await asyncio.wait_for(follower[1].wait(), POLL_S)
                except TimeoutError:
                    continue
        finally:
            with self._lock:
                self._followers.discard(follower)


def _read(path: Path) -> list[Event]:
    """Whole lines of the file; a last one without its end is cut off."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        path.write_bytes(whole)
    documents = (json.loads(line) for line in whole.splitlines())
    return [Event(document["id"], document["event"], document["data"]) for document in documents]
