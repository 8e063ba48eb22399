"""STAC documents over HTTP: one Item, a file of Items, or a search result page by page.

Knows paging as STAC API and OGC API - Features have it (links with rel "next", GET or POST). Refuses to
know Items (`stac.py`). pystac-client is not used: its pages know no bounds of size or number, and a next
link that is a local path makes it read that file. Source: github.com/radiantearth/stac-api-spec,
item-search, "Paging".
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from groundproof.datasets import without_secrets
from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists.fetching import Page, PageRequest, fetch
from groundproof.scene_lists.hrefs import is_http
from groundproof.scene_lists.listing import Listed, ListedScene, check_count
from groundproof.scene_lists.stac import Document, is_items, items_in, next_link, scenes_of

MAX_PAGES = 10_000
_STAC_PATH = re.compile(r"\.(?:geo)?json$|/search/?$|/items(?:/[^/]+)?/?$", re.IGNORECASE)
_OWN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"}
)
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,100}")


def is_stac_url(url: str, raster_suffixes: frozenset[str]) -> bool:
    """Whether an http(s) URL is one of a STAC document by its address: .json, .geojson, .../search,
    .../items, .../items/ID; an ID that ends as a raster does is a raster.
    """
    path = urlsplit(url).path
    suffix = "." + path.rpartition(".")[2].lower()
    return _STAC_PATH.search(path) is not None and suffix not in raster_suffixes


def from_url(url: str, source: str, asset: str | None) -> Listed:
    """The scenes of a STAC document and of all its further pages, sorted.

    Raises:
        UsageError: what `fetch` raises, no STAC document, no Items, pages without end.
    """
    shown = without_secrets(url)
    scenes: list[ListedScene] = []
    matched: int | None = None
    request: PageRequest | None = PageRequest(url)
    asked: set[str] = set()
    while request is not None:
        key = json.dumps([request.url, request.body], sort_keys=True)
        if key in asked or len(asked) >= MAX_PAGES:
            why = "come again" if key in asked else f"are more than {MAX_PAGES:,}"
            raise TooLargeError(
                f"The pages of {shown} {why} after {len(scenes):,} scenes. Narrow the search."
            )
        asked.add(key)
        page = fetch(request)
        if _is_empty(page.content):
            break  # some servers name a next page for ever
        if not is_items(page.content):
            raise UsageError(f"{shown} is no STAC Item and no result of a search{_what(page.content)}.")
        scenes += scenes_of(items_in(page.content), Document(page.url, remote=True), source, asset)
        check_count(scenes, shown)
        matched = _matched(page.content) if matched is None else matched
        request = _next(page, request)
    if not scenes:
        raise UsageError(f"The search {shown} found nothing. Widen it.")
    scenes.sort(key=lambda scene: scene.path)
    if matched is None or matched == len(scenes):
        return Listed(scenes)
    note = f"{shown} says that {matched:,} items match; its pages hold {len(scenes):,}."
    return Listed(scenes, (note,))


def _is_empty(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and content.get("type") == "FeatureCollection"
        and content.get("features") == []
    )


def _what(content: Any) -> str:
    kind = content.get("type") if isinstance(content, dict) else None
    if kind in ("Collection", "Catalog"):
        return (
            f", but a STAC {kind}. Add /items to a collection's address, or search: .../search?collections=ID"
        )
    if kind == "FeatureCollection":
        return ": its features have no assets. Tile indexes are read from local files; download it first"
    return ". Give the address of a STAC search, of a collection's items, or of one Item"


def _matched(content: dict[str, Any]) -> int | None:
    """How many Items the server says there are (STAC API 1.0, and its context extension before)."""
    context = content.get("context")
    for value in (
        content.get("numberMatched"),
        context.get("matched") if isinstance(context, dict) else None,
    ):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _next(page: Page, request: PageRequest) -> PageRequest | None:
    link = next_link(page.content)
    if link is None:
        return None
    try:
        url = urljoin(page.url, str(link.get("href", "")))
    except ValueError:
        url = ""
    if not is_http(url):
        raise UsageError(
            f"{without_secrets(page.url)} names a next page that is no http or https URL. Save the items as a .json "
            "file and give that."
        )
    body: dict[str, Any] | None = None
    if str(link.get("method", "GET")).upper() == "POST":
        own = link.get("body")
        body = dict(own) if isinstance(own, dict) else {}
        if link.get("merge") is True:
            body = {**(request.body or {}), **body}
    return PageRequest(url, body, _headers(link, url, page.url))


def _headers(link: dict[str, Any], url: str, page_url: str) -> dict[str, str]:
    """The headers a next link asks for, sent only to the host that asked."""
    headers = link.get("headers")
    if not isinstance(headers, dict) or urlsplit(url).netloc != urlsplit(page_url).netloc:
        return {}
    return {
        name: value
        for name, value in headers.items()
        if isinstance(value, str)
        and _TOKEN.fullmatch(name)
        and name.lower() not in _OWN_HEADERS
        and value.isprintable()
        and value.isascii()
    }
