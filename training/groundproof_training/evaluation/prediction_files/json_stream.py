"""JSON of any size, piece by piece: the items of one list, or of the lists that are an object's members.

Knows JSON. Refuses to know what the pieces mean. A COCO table of a million boxes is never held as one document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

CHUNK = 1 << 20
"""Characters read at a time."""
LIMIT = 64 << 20
"""Characters of one item; what is longer is taken for broken."""

_WHITE = " \t\r\n\ufeff"
_GAP = re.compile(r"[\s\ufeff]*")
_decode = json.JSONDecoder().raw_decode


class BrokenJsonError(ValueError):
    """The rest cannot be read."""


class _Stream:
    """A text with a place in it, of which only a part is held."""

    def __init__(self, file: TextIO, limit: int) -> None:
        self._file, self._limit = file, limit
        self._text, self._at, self._more = "", 0, True

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        found = self._text[self._at : self._at + 1]
        if found and found not in _WHITE:
            return found
        while True:
            gap = _GAP.match(self._text, self._at)
            self._at = gap.end() if gap else self._at
            if self._at < len(self._text) or not self._read(CHUNK):
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        """Step over a sign. Raises BrokenJsonError where something else stands."""
        if (found := self.peek()) != sign:
            raise BrokenJsonError(f"expected {sign!r}, got {found or 'the end'!r}")
        self._at += 1

    def value(self) -> Any:
        """The next value as a whole. Raises BrokenJsonError."""
        self.peek()
        while True:
            broken = ""
            try:
                found, end = _decode(self._text, self._at)
            except RecursionError as err:
                raise BrokenJsonError("lists in lists without end") from err
            except ValueError as err:
                found, end, broken = None, len(self._text), str(err)
            # A number at the end of what is held may go on, and half an object looks broken.
            if end == len(self._text) and self._more:
                if len(self._text) - self._at > self._limit:
                    raise BrokenJsonError(broken or "one item is too long")
                self._read(max(CHUNK, len(self._text) - self._at))
                continue
            if broken:
                raise BrokenJsonError(broken)
            self._at = end
            return found

    def _read(self, size: int) -> bool:
        piece = self._file.read(size) if self._more else ""
        self._more = bool(piece)
        self._text, self._at = self._text[self._at :] + piece, 0
        return self._more


def items(path: Path, limit: int = LIMIT) -> Iterator[Any]:
    """The items of a file that is one list. Raises BrokenJsonError where it breaks off or is none."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        stream = _Stream(file, limit)
        yield from _list(stream)
        if rest := stream.peek():
            raise BrokenJsonError(f"{rest!r} behind the list's end")


def members(path: Path, limit: int = LIMIT) -> Iterator[tuple[str, Any]]:
    """(name, item) for each item of a member that is a list, (name, value) for any other member, in the file's order.

    Raises BrokenJsonError where the file breaks off or is no object.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        stream = _Stream(file, limit)
        stream.take("{")
        while stream.peek() != "}":
            name = stream.value()
            stream.take(":")
            if not isinstance(name, str):
                raise BrokenJsonError(f"a member's name is a text, got {str(name)[:40]!r}")
            if stream.peek() == "[":
                for item in _list(stream):
                    yield name, item
            else:
                yield name, stream.value()
            if stream.peek() != "}":
                stream.take(",")


def _list(stream: _Stream) -> Iterator[Any]:
    stream.take("[")
    while stream.peek() != "]":
        yield stream.value()
        if stream.peek() != "]":
            stream.take(",")
    stream.take("]")
