"""Takes the folders of this computer, or the engine's, out of what is given to somebody else: names of files stay.

Knows how paths are spelled and where a result holds some. Refuses to know files: nothing is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_ABSOLUTE = re.compile(r"(?:file://)?(?:/|\\\\|[A-Za-z]:[\\/])\S")
_WEB = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""Addresses of the internet say where imagery can be had, not how a computer is arranged."""

SHORTEST = 3
"""A folder with fewer characters ("/", "./") stands in too many words to be looked for in texts."""


def file_name(path: str) -> str:
    """The last part of a path, whatever the system; what GDAL or OGR add behind it stays. Web addresses stay whole."""
    if _WEB.match(path) and not path.startswith("file://"):
        return path
    head, bar, behind = path.partition("|")
    return re.split(r"[\\/]", head.rstrip("\\/"))[-1] + bar + behind


class Folders:
    """The folders that a result names. scenes: rows of that table; metadata: of the result."""

    def __init__(self, scenes: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any]) -> None:
        paths = [str(row["path"]) for row in scenes if row.get("path")]
        paths += [text for text in _texts(metadata) if _ABSOLUTE.match(text)]
        folders = {path.partition("|")[0][: -len(file_name(path).partition("|")[0])] for path in paths}
        self._folders = sorted((one for one in folders if len(one) >= SHORTEST), key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._folders)

    def without(self, text: str) -> str:
        """A text with only the names of the files that it speaks of."""
        if _ABSOLUTE.match(text) and "\n" not in text and not re.search(r"\s/|: ", text):
            return file_name(text)
        for folder in self._folders:
            text = text.replace(folder, "")
        return text

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON document; keys stay."""
        if isinstance(value, str):
            return self.without(value)
        if isinstance(value, Mapping):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.value(one) for one in value)
        return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
