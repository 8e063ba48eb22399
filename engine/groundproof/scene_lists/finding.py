"""From what a person typed to the scenes of a batch.

Knows how to tell one kind of source from another, and how a part of many scenes is chosen. Refuses to
open rasters.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from groundproof.datasets import without_secrets
from groundproof.errors import UsageError
from groundproof.scene_lists.files import RASTER_SUFFIXES, in_folder, is_glob, matches
from groundproof.scene_lists.json_files import from_json
from groundproof.scene_lists.listing import (
    Listed,
    ListedScene,
    SceneList,
    check_count,
    flaw_of,
    is_gdal_notation,
)
from groundproof.scene_lists.stac_search import from_url, is_stac_url
from groundproof.scene_lists.text_lists import from_csv, from_txt
from groundproof.scene_lists.tile_index import PARQUET_SUFFIXES, from_index, is_raster_geopackage

TEXT_SUFFIXES = (".txt", ".csv")
JSON_SUFFIXES = (".json", ".geojson")
INDEX_SUFFIXES = (".gpkg", ".shp", ".fgb", *PARQUET_SUFFIXES)
_KINDS = (
    "Give rasters (files or URLs), folders, globs such as 'scenes/*.tif', lists (.txt, .csv), STAC items "
    "(.json or a search URL) or raster tile indexes (.gpkg, .shp, .fgb, .parquet)."
)
_LAYER = "|layername="


def find_scenes(
    sources: Sequence[str],
    *,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    asset: str | None = None,
) -> SceneList:
    """The scenes that sources name, in the order of the sources.

    A source is a raster (path, URL or GDAL's own notation; taken as it is, also when nothing is there), a
    folder or a glob (sorted), a .txt or .csv list (in its own order), a STAC document (file or URL) or a
    raster tile index (sorted). A path named twice stays twice.

    sample: so many scenes by a hash of seed and name: the same ones whatever the order, kept in order.
    limit: the first so many, of the sample if there is one. asset: the key of the STAC asset to take.

    Raises:
        UsageError: a source of no known kind, unreadable or without scenes; limit or sample below 1.
    """
    for option, number in (("--limit", limit), ("--sample", sample)):
        if number is not None and number < 1:
            raise UsageError(f"{option} {number} is no number of scenes. Give 1 or more.")
    if not sources:
        raise UsageError(f"No scenes are named. {_KINDS}")
    found: list[ListedScene] = []
    notes: list[str] = []
    for source in sources:
        listed = _listed(source, asset)
        _check_usable(listed.scenes, source)
        found += map(_storable, listed.scenes)
        notes += listed.notes
        check_count(found, "The batch")
    scenes = found
    of_all = f"of {len(found):,} scenes"
    if sample is not None and sample < len(scenes):
        scenes = _sampled(scenes, sample, seed)
        by = f"--sample {sample}" + (f" with seed {seed}" if seed else "")
        notes.append(f"{sample:,} {of_all}, {by}, the same every time.")
    if limit is not None and limit < len(scenes):
        notes.append(
            f"The first {limit:,} {'of the sample' if scenes is not found else of_all}, --limit {limit}."
        )
        scenes = scenes[:limit]
    return SceneList(tuple(scenes), len(found), tuple(dict.fromkeys(notes)))


def _listed(source: str, asset: str | None) -> Listed:
    if flaw := flaw_of(source):
        raise UsageError(f"A source of scenes {flaw}. {_KINDS}")
    if "://" in source:
        return _at_url(source, asset)
    if is_gdal_notation(source):
        return Listed([ListedScene(source, source)])
    path = Path(source).expanduser()
    if path.is_dir():
        return Listed(in_folder(path, source))
    if not is_glob(str(path)):
        return _in_file(path, source, asset)
    scenes: list[ListedScene] = []
    notes: list[str] = []
    for match in matches(str(path)):
        try:
            listed = _in_file(Path(match), match, asset)
        except UsageError as err:
            if Path(match).suffix.lower() not in JSON_SUFFIXES:
                raise
            listed = Listed([ListedScene(match, source, reason=str(err))])  # one item of thousands
        scenes += [replace(scene, source=source) for scene in listed.scenes]
        notes += listed.notes
    return Listed(scenes, tuple(notes))


def _check_usable(scenes: Sequence[ListedScene], source: str) -> None:
    """Raise UsageError when a source leads to no raster at all: then the request is wrong, not the scenes."""
    if all(scene.reason is not None for scene in scenes):
        none = "its only scene cannot" if len(scenes) == 1 else f"none of its {len(scenes):,} scenes can"
        raise UsageError(f"{without_secrets(source)}: {none} be used. {scenes[0].reason}")


def _at_url(source: str, asset: str | None) -> Listed:
    try:
        parts = urlsplit(source)
    except ValueError as err:
        raise UsageError(f"{source[:200]} is no URL: {err}. {_KINDS}") from err
    web = parts.scheme.lower() in ("http", "https")
    if web and is_stac_url(source, RASTER_SUFFIXES):
        return from_url(source, source, asset)
    suffix = Path(parts.path).suffix.lower()
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
    if suffix in (*TEXT_SUFFIXES, *JSON_SUFFIXES, *INDEX_SUFFIXES) and suffix != ".gpkg":
        raise UsageError(
            f"{shown} is a list, and lists are read from this machine (STAC documents also from http and https). "
            "Download it and give the file."
        )
    if not web and "*" in source:
        raise UsageError(f"{shown}: globs find files of this machine only. Give a list of the URLs.")
    return Listed([ListedScene(source, source)])


def _in_file(path: Path, source: str, asset: str | None) -> Listed:
    text, bar, layer = str(path).partition(_LAYER)
    path = Path(text)
    suffix = path.suffix.lower()
    if bar and suffix not in INDEX_SUFFIXES:
        raise UsageError(f"{source} names a layer, but only a tile index has layers. Leave {_LAYER} out.")
    if suffix not in (*TEXT_SUFFIXES, *JSON_SUFFIXES, *INDEX_SUFFIXES):
        return Listed([ListedScene(text, source)])
    if not path.is_file():
        raise UsageError(f"{text} is not there. {_KINDS}")
    if suffix in TEXT_SUFFIXES:
        return Listed(from_txt(path, source) if suffix == ".txt" else from_csv(path, source))
    if suffix in JSON_SUFFIXES:
        return from_json(path, source, asset)
    if suffix == ".gpkg" and not bar and is_raster_geopackage(path):
        return Listed([ListedScene(text, source)])
    return Listed(from_index(path, layer or None, source))


def _sampled(scenes: list[ListedScene], count: int, seed: int) -> list[ListedScene]:
    """So many scenes by hash. The area counts too: one raster may be listed once for each of its areas."""

    def rank(index: int) -> tuple[bytes, int]:
        scene = scenes[index]
        key = "\0".join((str(seed), scene.path, scene.aoi or "", scene.datetime or ""))
        return hashlib.sha256(key.encode()).digest(), index

    return [scenes[index] for index in sorted(heapq.nsmallest(count, range(len(scenes)), key=rank))]


def _storable(scene: ListedScene) -> ListedScene:
    """A scene whose texts can be written down: a file's name may hold bytes, and JSON escapes, that are
    no UTF-8. Such a scene fails with a reason.
    """
    if _is_unicode(scene.path) and _is_unicode(scene.reason or ""):
        return scene
    shown = scene.path.encode("utf-8", "replace").decode()
    return replace(scene, path=shown, reason=f"The name {shown} is not UTF-8. Rename the file.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
