"""STAC Items as scenes: which asset is taken, and where it lies.

Knows STAC 1.x documents that were read already, and what a document from the network may name. Refuses
to know how they were read. Source: github.com/radiantearth/stac-spec, item-spec and best-practices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from groundproof.datasets import without_secrets
from groundproof.errors import UsageError
from groundproof.scene import parse_datetime
from groundproof.scene_lists.hrefs import is_http, local_href, remote_href
from groundproof.scene_lists.listing import ListedScene
from groundproof.wording import joined

RASTER_TYPES = frozenset({"image/tiff", "image/geotiff", "image/vnd.stac.geotiff", "image/jp2"})
RASTER_ENDINGS = (".tif", ".tiff", ".jp2")
"""Of assets without a media type, which the specification allows."""
PICTURES = frozenset({"thumbnail", "overview"})
"""Roles of assets that show a scene and are none."""


@dataclass(frozen=True, slots=True)
class Document:
    """Where Items were read from. href: absolute path or URL. remote: it came over the network, so it may
    name nothing on this machine.
    """

    href: str
    remote: bool


def is_items(content: Any) -> bool:
    """Whether a document is a STAC Item, or a collection of features with at least one."""
    if not isinstance(content, dict):
        return False
    if content.get("type") == "FeatureCollection":
        features = content.get("features")
        return isinstance(features, list) and any(_is_item(f) for f in features)
    return _is_item(content)


def items_in(content: dict[str, Any]) -> list[Any]:
    """The Items of a document for which `is_items`."""
    items: list[Any] = content["features"] if content["type"] == "FeatureCollection" else [content]
    return items


def next_link(content: Any) -> dict[str, Any] | None:
    """The link to the next page of a search result."""
    links = content.get("links") if isinstance(content, dict) else None
    if content.get("type") != "FeatureCollection" or not isinstance(links, list):
        return None
    return next((link for link in links if isinstance(link, dict) and link.get("rel") == "next"), None)


def scenes_of(items: Iterable[Any], document: Document, source: str, asset: str | None) -> list[ListedScene]:
    """One scene for each Item, sorted by path; an Item without a usable asset is a scene with a reason.

    asset: the key to take; None: `visual`, else the only one that can be meant.
    """
    scenes = []
    for number, item in enumerate(items, start=1):
        name = _name(item, number)
        try:
            scenes.append(ListedScene(_path(item, name, document, asset), source, datetime=_moment(item)))
        except UsageError as err:
            shown = f"{without_secrets(source)}#{name}"
            scenes.append(ListedScene(shown, source, datetime=_moment(item), reason=str(err)))
    return sorted(scenes, key=lambda scene: scene.path)


def choose_asset(assets: dict[str, Any], key: str | None, name: str) -> tuple[str, dict[str, Any]]:
    """The asset that holds the scene, with its key.

    The order: `key`; the key `visual`; the only one with the role visual; the only GeoTIFF, COG or JPEG
    2000; the only one of these with the role data.

    Raises:
        UsageError: none, or several that can be meant.
    """
    usable = {k: a for k, a in assets.items() if isinstance(a, dict) and isinstance(a.get("href"), str)}
    if key is not None:
        if key not in usable:
            raise UsageError(f'{name} has no asset "{key}". {_choices(usable)}')
        return key, usable[key]
    if "visual" in usable:
        return "visual", usable["visual"]
    rasters = {k: a for k, a in usable.items() if _is_raster(a) and not PICTURES & _roles(a)}
    for candidates in (
        [k for k, a in rasters.items() if "visual" in _roles(a)],
        list(rasters),
        [k for k, a in rasters.items() if "data" in _roles(a)],
    ):
        if len(candidates) == 1:
            return candidates[0], rasters[candidates[0]]
    several = f"{len(rasters)} raster assets and none called visual" if rasters else "no raster asset"
    raise UsageError(f"{name} has {several}. {_choices(usable)}")


def _path(item: Any, name: str, document: Document, asset: str | None) -> str:
    if not _is_item(item):
        raise UsageError(f"{name} is no STAC Item: it has no assets. Leave it out.")
    key, chosen = choose_asset(item["assets"], asset, name)
    own = _self_link(item)
    try:
        if document.remote:
            return remote_href(chosen["href"], own if own and is_http(own) else document.href)
        return local_href(chosen["href"], own or document.href, document.href)
    except UsageError as err:
        raise UsageError(f'The asset "{key}" of {name} {err}') from err


def _is_item(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("type") != "Feature":
        return False
    return isinstance(content.get("assets"), dict)


def _name(item: Any, number: int) -> str:
    name = item.get("id") if isinstance(item, dict) else None
    return str(name)[:200] if name not in (None, "") else f"item {number}"


def _moment(item: Any) -> str | None:
    """When it was taken; None also where an Item gives a period, which is no moment."""
    properties = item.get("properties") if isinstance(item, dict) else None
    moment = properties.get("datetime") if isinstance(properties, dict) else None
    return parse_datetime(moment) if isinstance(moment, str) else None


def _self_link(item: dict[str, Any]) -> str | None:
    links = item.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "self" and isinstance(link.get("href"), str):
            return str(link["href"])
    return None


def _is_raster(asset: dict[str, Any]) -> bool:
    media = asset.get("type")
    if isinstance(media, str) and media.strip():
        return media.partition(";")[0].strip().lower() in RASTER_TYPES
    try:
        return urlsplit(str(asset["href"])).path.lower().endswith(RASTER_ENDINGS)
    except ValueError:
        return False


def _roles(asset: dict[str, Any]) -> set[str]:
    roles = asset.get("roles")
    return {str(role).lower() for role in roles} if isinstance(roles, list) else set()


def _choices(assets: dict[str, Any]) -> str:
    if not assets:
        return "It has none with an href."
    keys = [key[:50] for key in list(assets)[:30]]
    more = f" and {len(assets) - 30} more" if len(assets) > 30 else ""
    return f"Name one with --asset KEY: {', '.join(keys) + more if more else joined(keys)}."
