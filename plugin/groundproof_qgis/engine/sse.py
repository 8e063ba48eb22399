"""Server-sent events: bytes in any pieces -> events.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html, for streams whose data is one JSON object and
whose ids are numbers. Refuses to know where the bytes come from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MAX_EVENT_BYTES = 64 << 20
"""Of one event; a stream that goes on without an end of line is none."""


class NotEventsError(ValueError):
    """The bytes are no such stream."""


@dataclass(frozen=True)
class Event:
    """number: 1, 2, ... within its job. name: plan, evidence, ... data: the JSON object."""

    number: int
    name: str
    data: dict[str, Any] = field(hash=False)


class EventParser:
    """Grows by `feed`. An event is out as soon as its blank line has come."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._after_cr = False
        self._fields: dict[str, list[str]] = {}
        self._size = 0

    def feed(self, piece: bytes) -> list[Event]:
        """Events that this piece completes. Raises NotEventsError."""
        if self._after_cr and piece[:1] == b"\n":
            piece = piece[1:]
        if piece:
            self._after_cr = False
        self._rest += piece
        events = []
        while (end := self._line_end()) is not None:
            line = bytes(self._rest[:end])
            skip = 1
            if self._rest[end : end + 1] == b"\r":
                if end + 1 == len(self._rest):
                    self._after_cr = True
                elif self._rest[end + 1 : end + 2] == b"\n":
                    skip = 2
            del self._rest[: end + skip]
            self._searched = 0
            event = self._line(line)
            if event is not None:
                events.append(event)
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise NotEventsError(f"an event is longer than {MAX_EVENT_BYTES >> 20} MB")
        return events

    def _line_end(self) -> int | None:
        """Where the first line ends; what was searched before is not searched again."""
        end = self._rest.find(b"\n", self._searched)
        carriage = self._rest.find(b"\r", self._searched, len(self._rest) if end < 0 else end)
        if carriage >= 0:
            return carriage
        if end < 0:
            self._searched = len(self._rest)
            return None
        return end

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeDecodeError as err:
            raise NotEventsError("a line is not UTF-8") from err
        if name in ("id", "event", "data"):
            self._size += len(line)
            self._fields.setdefault(name, []).append(value[1:] if value[:1] == " " else value)
        return None  # comments (heartbeats), retry and what may come are not for us

    def _dispatch(self) -> Event | None:
        fields, self._fields, self._size = self._fields, {}, 0
        if "data" not in fields:
            return None
        text, number = "\n".join(fields["data"]), fields.get("id", [""])[-1]
        try:
            data = json.loads(text)
        except ValueError as err:
            raise NotEventsError(f"an event is not JSON: {text[:60]!r}") from err
        if not isinstance(data, dict) or not number.isdecimal():
            raise NotEventsError(f"an event has no number or no object: {text[:60]!r}")
        return Event(int(number), fields.get("event", ["message"])[-1], data)
