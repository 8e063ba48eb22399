"""The query of `/collections/{id}/items`, from its text: OGC API - Features Part 1 and 2.

Knows parameters and their grammar. Refuses to know rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from shapely.geometry import Polygon
from shapely.geometry import box as rectangle

from groundproof.errors import ParameterError
from groundproof.service.ogc.crs_names import CRS84_URI, StoredCrs
from groundproof.service.ogc.layers import Selection

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000

PARAMETERS = ("bbox", "bbox-crs", "crs", "datetime", "limit", "offset", "snapshot")
"""Beside the columns that may be asked for."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))?")
Moment = np.datetime64


@dataclass(frozen=True, slots=True)
class ItemsQuery:
    """One page of a collection. stored: geometry in the stored CRS, not CRS84. snapshot: a page's version."""

    selection: Selection
    stored: bool
    limit: int
    offset: int
    snapshot: str | None


def only_known(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ParameterError for parameters that an address does not have, or that come twice."""
    names, allowed = list(given), sorted(known)
    unknown = sorted(set(names) - set(allowed))
    if unknown:
        has = f"It has {', '.join(allowed)}." if allowed else "It has none."
        raise ParameterError(f"This address has no parameter {', '.join(unknown)}. {has}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"The parameter {', '.join(twice)} is given more than once.")


def items_query(
    given: Iterable[tuple[str, str]], filters: tuple[str, ...], stored: StoredCrs | None
) -> ItemsQuery:
    """The query of these (name, text) pairs. Raises ParameterError, saying what is allowed.

    filters: columns that may be asked for. stored: the collection's own CRS, where clients can name it.
    """
    pairs = list(given)
    only_known((name for name, _ in pairs), (*PARAMETERS, *filters))
    texts = dict(pairs)
    boxes_stored = is_stored(texts.get("bbox-crs"), stored, "bbox-crs")
    return ItemsQuery(
        Selection(
            boxes=_boxes(texts["bbox"], stored if boxes_stored else None) if "bbox" in texts else None,
            boxes_stored=boxes_stored,
            times=_times(texts["datetime"]) if "datetime" in texts else None,
            equal=tuple((name, texts[name]) for name in filters if name in texts),
        ),
        stored=is_stored(texts.get("crs"), stored, "crs"),
        limit=min(MAX_LIMIT, _whole("limit", texts.get("limit"), DEFAULT_LIMIT, least=1)),
        offset=_whole("offset", texts.get("offset"), 0, least=0),
        snapshot=texts.get("snapshot"),
    )


def is_stored(uri: str | None, stored: StoredCrs | None, parameter: str = "crs") -> bool:
    """Whether a CRS asked for is the stored one and not CRS84. Raises ParameterError for any other."""
    if uri is None or uri == CRS84_URI:
        return False
    if stored is not None and uri == stored.uri:
        return True
    allowed = CRS84_URI if stored is None else f"{CRS84_URI} and {stored.uri}"
    raise ParameterError(f"{parameter} {uri[:200]!r} is not offered by this collection. It has {allowed}.")


def _boxes(text: str, stored: StoredCrs | None) -> tuple[Polygon, ...]:
    """Four numbers, or six with heights, which are left out, in the axis order of their CRS (None: CRS84).

    In degrees west may be more than east: then the box goes around the antimeridian.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [numbers[i] for i in (0, 1, 3, 4)]
    if stored is not None and stored.swapped and len(numbers) == 4:
        numbers = [numbers[i] for i in (1, 0, 3, 2)]
    if len(numbers) == 4 and all(math.isfinite(n) for n in numbers) and numbers[1] <= numbers[3]:
        west, south, east, north = numbers
        if west <= east:
            return (rectangle(west, south, east, north),)
        if stored is None or stored.geographic:
            return (rectangle(west, south, 180.0, north), rectangle(-180.0, south, east, north))
    raise ParameterError(
        f"bbox {text[:200]!r} is not four numbers, lower corner and upper corner, such as 3.1,50.9,3.2,51.0."
    )


def _times(text: str) -> tuple[Moment | None, Moment | None]:
    """An instant or an interval, RFC 3339; an open end is `..` or nothing. A day is all of its moments."""
    parts = text.split("/")
    ends = [None if part in ("", "..") else _moments(part, text) for part in parts]
    if len(parts) > 2 or all(end is None for end in ends):
        raise _no_time(text)
    first, last = ends[0], ends[-1]
    times = (None if first is None else first[0], None if last is None else last[1])
    if times[0] is not None and times[1] is not None and times[0] > times[1]:
        raise ParameterError(f"datetime {text[:100]!r} ends before it begins.")
    return times


def _moments(part: str, text: str) -> tuple[Moment, Moment]:
    if not _TIME.fullmatch(part):
        raise _no_time(text)
    try:
        stamp = pd.Timestamp(part.upper())
    except ValueError as err:
        raise _no_time(text) from err
    stamp = stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)
    moment = stamp.to_datetime64().astype("datetime64[ms]")
    whole_day = np.timedelta64(86_400_000 - 1, "ms")
    return moment, moment + whole_day if len(part) == len("2026-01-01") else moment


def _no_time(text: str) -> ParameterError:
    return ParameterError(
        f"datetime {text[:100]!r} is neither a moment nor an interval. Give 2026-05-01T10:00:00Z, "
        "2026-05-01/2026-05-31, or ../2026-05-31."
    )


def _whole(name: str, text: str | None, default: int, *, least: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII) or int(text) < least:
        raise ParameterError(f"{name} {text[:100]!r} is not a whole number of at least {least}.")
    return int(text)
