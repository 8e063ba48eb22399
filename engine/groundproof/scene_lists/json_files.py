"""Local .json and .geojson files that list scenes: STAC documents and raster tile indexes.

Knows how to tell them apart. Refuses to know what either means (`stac.py`, `tile_index.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists.listing import Listed
from groundproof.scene_lists.stac import Document, is_items, items_in, next_link, scenes_of
from groundproof.scene_lists.tile_index import located, location_field
from groundproof.wording import joined

MAX_BYTES = 256 * 2**20
"""Of a document; Python's objects take six times as much. A Sentinel-2 item has 20 kB."""


def from_json(path: Path, source: str, asset: str | None) -> Listed:
    """The scenes of a STAC Item or ItemCollection (a FeatureCollection of Items), or of a GeoJSON tile index.

    Raises:
        UsageError: unreadable, or none of these.
    """
    content = _content(path, source)
    if is_items(content):
        scenes = scenes_of(items_in(content), Document(str(path.absolute()), remote=False), source, asset)
        if next_link(content) is None:
            return Listed(scenes)
        note = (
            f"{source} is one page of a search and names a next one, which was not read. "
            "Give the address of the search to read all."
        )
        return Listed(scenes, (note,))
    features = content.get("features") if isinstance(content, dict) else None
    if isinstance(features, list) and features:
        properties = [f["properties"] if _has_properties(f) else {} for f in features]
        field = location_field(properties[0])
        if field is not None:
            return Listed(located([p.get(field) for p in properties], path.parent, source))
        has = joined([str(name)[:50] for name in list(properties[0])[:20]]) if properties[0] else "no fields"
        raise UsageError(
            f"{source} lists no scenes: its features are no STAC Items (they have no assets), and a tile index would "
            f"have the field location. It has {has}. If it holds areas, give it with --aoi."
        )
    raise UsageError(f"{source} lists no scenes: {_what(content)}. {_WANTED}")


_WANTED = "Give a STAC Item, an ItemCollection, or a GeoJSON tile index (gdaltindex)."


def _has_properties(feature: Any) -> bool:
    return isinstance(feature, dict) and isinstance(feature.get("properties"), dict)


def _what(content: Any) -> str:
    if not isinstance(content, dict):
        return "it is no JSON object"
    kind = content.get("type")
    if kind in ("Collection", "Catalog"):
        return f"it is a STAC {kind}, which describes scenes and does not hold them"
    if kind == "FeatureCollection":
        return "its features are none"
    return f"it is of type {str(kind)[:50]}" if kind is not None else "it has no type"


def _content(path: Path, source: str) -> Any:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise UsageError(f"{source} cannot be read: {err.strerror}. Give a file that is there.") from err
    if len(text) > MAX_BYTES:
        raise TooLargeError(
            f"{source} is larger than {MAX_BYTES >> 20} MB, the most for a document. Split it."
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise UsageError(f"{source} cannot be read as JSON: {str(err)[:200]}. {_WANTED}") from err
