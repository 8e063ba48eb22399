"""Scenes that clients sent, in pieces or whole, kept for a while.

    scenes/ID/scene.json    what was declared and how far it is; its mtime is the scene's last use
    scenes/ID/windows/*.tif one clean GeoTIFF per window, until the scene is finished
    scenes/ID/NAME.tif      the finished scene; it never changes again, so that answers stay true to it
    scenes/.incoming/       uploads being received and decoded; emptied at every start

Knows files and their states. Refuses to know HTTP, models, and (but through `decoding.py`) uploads' contents. Windows
are files of their own until all have come: they may come in any order, again, and at the same time, and a kill in the
middle of one costs that one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rasterio.errors import RasterioError

from groundproof.boxes import Window
from groundproof.errors import NotFoundError, NotReadyError, OutputError, RunError, TooLargeError
from groundproof.run_files import writing
from groundproof.service.jobs.store import timestamp
from groundproof.service.settings import Limits
from groundproof.service.uploads import scene_file
from groundproof.service.uploads.arrivals import missing_of
from groundproof.service.uploads.decoding import decode
from groundproof.service.uploads.fitting import (
    affine_of_scene,
    check_same_crs,
    check_window_affine,
    fit,
    keep_raw,
)
from groundproof.service.uploads.mosaic import Piece, assemble
from groundproof.service.uploads.scene_record import Arrived, KeptScene, RawPixels, Record, load
from groundproof.service.uploads.scene_spec import (
    AffineNumbers,
    Missing,
    SceneSpec,
    StoredScene,
    check_affine,
    check_crs,
    check_datetime,
    file_name,
)

MAX_WINDOWS = 10_000
"""Of one scene: 100 x 100 of them."""


class SceneStore:
    """All scenes a service keeps. Safe to use from any thread; what decodes or assembles takes seconds.

    keep_hours: after its last use a scene may be forgotten.
    """

    def __init__(self, folder: Path, limits: Limits, keep_hours: float) -> None:
        self._folder = folder
        self._incoming = folder / ".incoming"
        self._limits = limits
        self._keep_s = keep_hours * 3600
        self._lock = threading.Lock()
        with writing(folder):
            shutil.rmtree(self._incoming, ignore_errors=True)
            self._incoming.mkdir(parents=True)
        self._scenes = {kept.scene_id: kept for kept in map(load, sorted(folder.glob("*/scene.json")))}

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A path for an upload, on the store's own disk; what lies there afterwards is removed."""
        path = self._incoming / secrets.token_hex(16)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def create(self, spec: SceneSpec) -> StoredScene:
        """Declare a scene that will come in windows.

        Raises UsageError for a CRS no GeoTIFF can hold, TooLargeError for too many pixels, OutputError.
        """
        self._check_pixels(spec.width, spec.height)
        self._check_room(0)
        if spec.crs is not None:
            scene_file.check_keepable(spec.crs)
        record = Record(**spec.model_dump(), gcps=0, created=timestamp())
        return self._stored(self._keep(record, None))

    def put_window(
        self,
        scene_id: str,
        x0: int,
        y0: int,
        upload: Path,
        affine: AffineNumbers | None = None,
        raw: RawPixels | None = None,
    ) -> StoredScene:
        """Take one window whose first pixel is column x0, row y0 of the scene. The last one finishes the scene.

        upload: an image file, or the pixels themselves (`raw`). affine: the window's own, checked against the scene's,
        or giving it.

        Raises:
            NotFoundError, TooLargeError, OutputError.
            UsageError: it does not fit the scene.
            SceneError: it cannot be decoded.
            RunError: the scene is finished, and this is not one of its windows once more.
        """
        kept = self._kept(scene_id)
        digest = _digest(x0, y0, upload, affine, raw)
        if kept.record.finished and digest in kept.record.digests:
            return self._stored(kept)
        _check_open(kept)
        self._check_room(upload.stat().st_size)
        with self.incoming() as clean:
            if raw is None:
                decoded = decode(upload, clean, self._limits)
            else:
                with _storing(kept.folder):
                    decoded = keep_raw(upload, clean, raw, kept.record, self._limits.image_pixels)
            window = fit(kept.record, x0, y0, decoded)
            check_same_crs(kept.record, decoded)
            own = affine or decoded.affine
            with kept.lock, _storing(kept.folder):
                _check_open(kept)
                if own is not None:
                    _place(kept, window, check_affine(own))
                _add(kept, window, clean, digest)
                if not kept.record.sparse and _all_came(kept):
                    _finish(kept)
        return self._stored(kept)

    def add_image(
        self,
        upload: Path,
        name: str,
        affine: AffineNumbers | None = None,
        crs: str | None = None,
        taken: str | None = None,
    ) -> StoredScene:
        """A scene that comes whole, as one image. What is given goes before what the file says.

        name: what answers call it. crs: EPSG:code or WKT. taken: when, RFC 3339.

        Raises UsageError, SceneError (cannot be decoded), TooLargeError, OutputError.
        """
        taken = None if taken is None else check_datetime(taken)
        if affine is not None:
            check_affine(affine)
        self._check_room(upload.stat().st_size)
        with self.incoming() as clean:
            decoded = decode(upload, clean, self._limits)
            crs = decoded.crs if crs is None else check_crs(crs)
            own = affine or decoded.affine
            if own is not None:
                check_affine(own)
            if crs is not None:
                scene_file.check_keepable(crs)
            record = Record(
                name=file_name(name),
                width=decoded.width,
                height=decoded.height,
                bands=decoded.bands,
                dtype=decoded.dtype,
                crs=crs,
                affine=own,
                gcps=0 if own is not None else decoded.gcps,
                datetime=taken or decoded.datetime,
                sparse=False,
                created=timestamp(),
                finished=True,
            )
            with _storing(self._folder):
                scene_file.describe(clean, crs=crs, affine=own, datetime=record.datetime)
            return self._stored(self._keep(record, clean))

    def get(self, scene_id: str) -> StoredScene:
        """Raises NotFoundError."""
        return self._stored(self._kept(scene_id))

    def all(self) -> list[StoredScene]:
        """Newest first."""
        with self._lock:
            kept = list(self._scenes.values())
        return sorted(
            (self._stored(one) for one in kept), key=lambda s: (s.created, s.scene_id), reverse=True
        )

    def path(self, scene_id: str) -> Path:
        """The finished scene's file, used now. A sparse scene is finished by this, which takes a while.

        Raises NotFoundError, OutputError, NotReadyError when pixels are missing that were not declared to.
        """
        kept = self._kept(scene_id)
        with kept.lock, _storing(kept.folder):
            if kept.gone:
                raise _no_scene(scene_id)
            if not kept.record.finished:
                missing = _missing(kept)
                if not kept.windows or (missing.pixels and not kept.record.sparse):
                    raise NotReadyError(_what_is_missing(kept, missing))
                _finish(kept)
            os.utime(kept.folder / "scene.json")
        return kept.file

    def holds(self, path: str) -> bool:
        """Whether a path is that of a finished scene's file, exactly as `path` gives it."""
        with self._lock:
            kept = self._scenes.get(Path(path).parent.name)
        return kept is not None and kept.record.finished and not kept.gone and path == str(kept.file)

    def delete(self, scene_id: str) -> None:
        """Forget a scene and its files. Raises NotFoundError, OutputError."""
        kept = self._kept(scene_id)
        with kept.lock, _storing(kept.folder):
            if kept.gone:
                raise _no_scene(scene_id)
            with self._lock:
                self._scenes.pop(scene_id, None)
            kept.gone = True
            (kept.folder / "scene.json").unlink(missing_ok=True)  # first: the rest is then no scene
            shutil.rmtree(kept.folder)

    def expire(self, in_use: set[str]) -> list[str]:
        """Forget scenes nobody used for long enough, but those in use; return their ids."""
        with self._lock:
            kept = list(self._scenes.values())
        gone = []
        for one in kept:
            with one.lock:
                if not one.gone and one.scene_id not in in_use and one.last_use + self._keep_s < time.time():
                    self.delete(one.scene_id)
                    gone.append(one.scene_id)
        return gone

    def _kept(self, scene_id: str) -> KeptScene:
        with self._lock:
            kept = self._scenes.get(scene_id)
        if kept is None:
            raise _no_scene(scene_id)
        return kept

    def _keep(self, record: Record, file: Path | None) -> KeptScene:
        """A new scene; file: the finished one, moved in. It exists for others when its record is written."""
        scene_id = secrets.token_hex(16)
        kept = KeptScene(scene_id, self._folder / scene_id, record)
        with _storing(kept.folder):
            (kept.folder / "windows").mkdir(parents=True)
            if file is not None:
                file.replace(kept.file)
                kept.bytes = kept.file.stat().st_size
            kept.write(record)
        with self._lock:
            self._scenes[scene_id] = kept
        return kept

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._limits.scene_pixels:
            raise TooLargeError(
                f"A scene of {width:,} x {height:,} = {width * height:,} px was declared; at most "
                f"{self._limits.scene_pixels:,} px are taken. Ask about its parts, or about a file by path or URL."
            )

    def _check_room(self, coming_bytes: int) -> None:
        with self._lock:
            kept = list(self._scenes.values())
        used = sum(one.bytes for one in kept)
        if used + coming_bytes > self._limits.stored_bytes:
            raise TooLargeError(
                f"The scenes kept here take {used >> 20:,} MiB of at most {self._limits.stored_bytes >> 20:,} MiB. "
                "Delete one (DELETE /scenes/ID), or wait until one expires."
            )

    def _stored(self, kept: KeptScene) -> StoredScene:
        with kept.lock:
            if kept.gone:
                raise _no_scene(kept.scene_id)
            record = kept.record
            return StoredScene(
                scene_id=kept.scene_id,
                name=record.name,
                width=record.width,
                height=record.height,
                bands=record.bands,
                dtype=record.dtype,
                crs=record.crs,
                affine=record.affine,
                gcps=record.gcps,
                datetime=record.datetime,
                sparse=record.sparse,
                finished=record.finished,
                missing=Missing(record.missing_px, None) if record.finished else _missing(kept),
                windows=len(record.digests) if record.finished else len(kept.windows),
                bytes=kept.bytes,
                created=record.created,
                expires=datetime.fromtimestamp(kept.last_use + self._keep_s, UTC).isoformat(
                    timespec="seconds"
                ),
            )


def _digest(x0: int, y0: int, upload: Path, affine: AffineNumbers | None, raw: RawPixels | None) -> str:
    """Of a request to take a window: the same request gives the same scene."""
    digest = hashlib.blake2b(repr((x0, y0, affine, raw)).encode(), digest_size=16)
    with upload.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _no_scene(scene_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no scene {scene_id[:64]!r}. It may have expired or been deleted; GET /scenes lists all."
    )


def _check_open(kept: KeptScene) -> None:
    """Raise when the scene takes no windows any more."""
    if kept.gone:
        raise _no_scene(kept.scene_id)
    if kept.record.finished:
        raise RunError(
            f"The scene {kept.scene_id} is finished and changes no more, so that answers about it stay true. "
            "Declare a new one with POST /scenes."
        )
    if len(kept.windows) >= MAX_WINDOWS:
        raise TooLargeError(
            f"The scene has {MAX_WINDOWS:,} windows already, the most it may have. Send larger ones."
        )


def _place(kept: KeptScene, window: Window, own: AffineNumbers) -> None:
    """Check a window's own affine against the scene's, or take the scene's from it."""
    if kept.record.affine is not None:
        check_window_affine(window, own, kept.record.affine)
    else:
        kept.write(replace(kept.record, affine=affine_of_scene(window, own)))


def _add(kept: KeptScene, window: Window, clean: Path, digest: str) -> None:
    """Keep a window's file; one that came before for the same place is replaced."""
    number = 1 + max((arrived.number for arrived in kept.windows.values()), default=0)
    arrived, before = Arrived(number, window, digest), kept.windows.get(window)
    clean.replace(kept.window_file(arrived))
    kept.windows[window] = arrived
    kept.bytes += kept.window_file(arrived).stat().st_size
    if before is not None:
        kept.bytes -= kept.window_file(before).stat().st_size
        kept.window_file(before).unlink()
    os.utime(kept.folder / "scene.json")


def _missing(kept: KeptScene) -> Missing:
    return missing_of(kept.record.width, kept.record.height, list(kept.windows))


def _all_came(kept: KeptScene) -> bool:
    area = sum(window.width * window.height for window in kept.windows)
    return (
        area >= kept.record.width * kept.record.height and _missing(kept).pixels == 0
    )  # the cheap bound first


def _finish(kept: KeptScene) -> None:
    """Make the scene's one file from its windows. Its record is written when the file is whole, and not before."""
    record = kept.record
    ordered = sorted(kept.windows.values(), key=lambda arrived: arrived.number)
    pieces = [Piece(arrived.window, kept.window_file(arrived)) for arrived in ordered]
    making = kept.folder / "making.tmp"
    assemble(making, record.width, record.height, record.bands, record.dtype, pieces)
    scene_file.describe(making, crs=record.crs, affine=record.affine, datetime=record.datetime)
    making.replace(kept.file)
    digests = tuple(arrived.digest for arrived in ordered)
    kept.write(replace(record, finished=True, missing_px=_missing(kept).pixels, digests=digests))
    shutil.rmtree(kept.folder / "windows")
    kept.windows.clear()
    kept.bytes = kept.file.stat().st_size


def _what_is_missing(kept: KeptScene, missing: Missing) -> str:
    first = missing.first
    where = "" if first is None else f", first the {first.width} x {first.height} px at {first.x0},{first.y0}"
    return (
        f"The scene {kept.scene_id} is not complete: {missing.pixels:,} of {kept.record.width * kept.record.height:,} "
        f"px have not come{where}. Send them with PUT /scenes/{kept.scene_id}/windows/x0,y0."
    )


@contextmanager
def _storing(place: Path) -> Iterator[None]:
    """Turn what the disk refuses, to us or to GDAL, into an OutputError. Uploads are never opened in here."""
    try:
        with writing(place):
            yield
    except RasterioError as err:
        raise OutputError(f"The scene cannot be kept: {err}. Free some space on the service's disk.") from err
