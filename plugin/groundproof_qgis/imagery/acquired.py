"""When a raster was taken, as far as the layer or its file says.

Knows dates and the tags they stand in. Refuses to guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone

from qgis.core import Qgis, QgsRasterLayer
from qgis.PyQt.QtCore import Qt

from groundproof_qgis.imagery.raster_file import file_of

_DATE = re.compile(
    r"(\d{4})[:\-/]?(\d{2})[:\-/]?(\d{2})"
    r"(?:[T ]+(\d{2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?\s*(Z|UTC|[+\-]\d{2}:?\d{2})?\s*"
)


def acquired(layer: QgsRasterLayer) -> str | None:
    """RFC 3339 in UTC; None when neither the layer's temporal settings nor its file's tags say it."""
    times = layer.temporalProperties()
    if times.isActive() and times.mode() == Qgis.RasterTemporalMode.FixedTemporalRange:
        begin = times.fixedTemporalRange().begin()
        if begin.isValid():
            return begin.toUTC().toString(Qt.DateFormat.ISODate)
    file = file_of(layer)
    return None if file is None else first_date(file.dates)


def first_date(texts: Iterable[str]) -> str | None:
    """RFC 3339 of the first text that is a date: "2018:07:16 06:06:23", "2020-08-31T10:15:00Z". No zone means UTC."""
    for text in texts:
        match = _DATE.fullmatch(text.strip())
        if match is None:
            continue
        *numbers, zone = match.groups()
        offset = "+0000" if zone in (None, "Z", "UTC") else zone.replace(":", "")
        joined = "".join((number or "00") for number in numbers)
        try:
            moment = datetime.strptime(joined + offset, "%Y%m%d%H%M%S%z")
            return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError):  # month 13, year 0: no date, perhaps the next text is one
            continue
    return None
