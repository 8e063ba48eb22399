"""What is written down of a scene while it is kept, and how it is found again after a restart.

    ID/scene.json      the record; its mtime is the scene's last use
    ID/windows/*.tif   windows that came; each name says which one it is, so there is no list that could disagree

Knows names and JSON. Refuses to know pixels.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

from groundproof.boxes import Window
from groundproof.errors import RunError
from groundproof.service.uploads.scene_spec import AffineNumbers

WINDOW_FILE = re.compile(r"(\d+)_(\d+)_(\d+)_(\d+)_(\d+)_([0-9a-f]{32})\.tif")


@dataclass(frozen=True, slots=True)
class RawPixels:
    """An upload that is no image file: (height, width, bands) in C order, little-endian, of the scene's type."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Record:
    """What scene.json holds; see `StoredScene`. missing_px, digests: of a finished scene; what its windows came as."""

    name: str
    width: int
    height: int
    bands: int
    dtype: str
    crs: str | None
    affine: AffineNumbers | None
    gcps: int
    datetime: str | None
    sparse: bool
    created: str
    finished: bool = False
    missing_px: int = 0
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """One window that came. number: 1, 2, ... in order of arrival. digest: of the request that brought it."""

    number: int
    window: Window
    digest: str

    @property
    def file_name(self) -> str:
        """Says all of it."""
        w = self.window
        return f"{self.number:06d}_{w.x0}_{w.y0}_{w.width}_{w.height}_{self.digest}.tif"


@dataclass(slots=True, eq=False)
class KeptScene:
    """A scene in memory. Everything changes under its lock only.

    bytes: of its pixels on disk. gone: deleted while somebody held it.
    """

    scene_id: str
    folder: Path
    record: Record
    windows: dict[Window, Arrived] = field(default_factory=dict)
    bytes: int = 0
    gone: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def file(self) -> Path:
        """The finished scene."""
        return self.folder / f"{self.record.name}.tif"

    def window_file(self, arrived: Arrived) -> Path:
        """One window's pixels."""
        return self.folder / "windows" / arrived.file_name

    @property
    def last_use(self) -> float:
        """Seconds since 1970."""
        return (self.folder / "scene.json").stat().st_mtime

    def write(self, record: Record) -> None:
        """Keep another record, whole or not at all. Raises OSError."""
        temporary = self.folder / "scene.tmp"
        temporary.write_text(json.dumps(asdict(record), ensure_ascii=False), encoding="utf-8")
        temporary.replace(self.folder / "scene.json")
        self.record = record


def load(path: Path) -> KeptScene:
    """A scene from its scene.json. Raises RunError when it is damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        affine = document.pop("affine")
        digests = tuple(document.pop("digests"))
        record = Record(**document, affine=None if affine is None else (*affine,), digests=digests)
    except (OSError, ValueError, TypeError, KeyError) as err:
        raise RunError(
            f"{path} cannot be read ({err}). Move its folder away to start the service without that scene."
        ) from err
    kept = KeptScene(path.parent.name, path.parent, record)
    if record.finished:
        shutil.rmtree(
            path.parent / "windows", ignore_errors=True
        )  # a kill came between finishing and tidying up
        kept.bytes = kept.file.stat().st_size if kept.file.exists() else 0
    for file in sorted((path.parent / "windows").glob("*.tif")):
        if match := WINDOW_FILE.fullmatch(file.name):
            number, x0, y0, width, height = map(int, match.groups()[:5])
            window = Window(x0, y0, width, height)
            kept.bytes += file.stat().st_size
            kept.windows[window] = Arrived(number, window, match.group(6))
    return kept
