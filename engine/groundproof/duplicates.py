"""The same file named twice among thousands of scenes, under one name or several.

Knows paths and bytes. Refuses to know rasters.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


class SeenFiles:
    """Files so far. Two are the same when they are one file, or hold the same bytes; URLs when they are equal.

    Bytes are compared only where size and header are alike: thousands of scenes are not read twice for this.
    """

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str | None], str] = {}
        self._by_head: dict[tuple[str, str | None], list[tuple[Path, str]]] = {}
        self._digests: dict[Path, bytes] = {}

    def earlier(self, path: str, content_id: str, aoi: str | None, scene: str) -> str | None:
        """The name of the scene that is the same file, asked about the same area; None: it is new, and is noted.

        content_id: of `scene.Scene`. Raises OSError when a local file cannot be read any more.
        """
        local = Path(path)
        place = (os.path.realpath(local) if local.exists() else path, aoi)
        if place in self._by_place:
            return self._by_place[place]
        self._by_place[place] = scene
        if not local.is_file():
            return None
        alike = self._by_head.setdefault((_head(content_id), aoi), [])
        if alike:
            digest = self._digest(local)
            for other, name in alike:
                if self._digest(other) == digest:
                    return name
        alike.append((local, scene))
        return None

    def _digest(self, path: Path) -> bytes:
        """Each file is read once, however many are like it."""
        if path not in self._digests:
            self._digests[path] = _digest(path)
        return self._digests[path]


def _head(content_id: str) -> str:
    """Size and hash of the header, without the time of the last change."""
    return f"{content_id.partition('-')[0]}-{content_id.rpartition('-')[2]}"


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
