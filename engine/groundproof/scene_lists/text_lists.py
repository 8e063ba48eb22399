"""Lists that people and scripts write: .txt with a path a line, .csv with a header.

Knows encodings, quotes and line numbers. Refuses to look at what the paths lead to.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from pathlib import Path

from groundproof.aoi_text import is_written_out, looks_like_bbox
from groundproof.errors import TooLargeError, UsageError
from groundproof.scene import parse_datetime
from groundproof.scene_lists.listing import ListedScene, check_count, flaw_of, placed
from groundproof.wording import joined

MAX_BYTES = 256 * 2**20
PATH_COLUMNS = ("scene", "path")
DELIMITERS = ",;\t"
"""Spreadsheets of many countries write CSV with semicolons."""


def from_txt(path: Path, source: str) -> list[ListedScene]:
    """One path or URL a line, relative to the list's folder; empty lines and lines that begin with # are
    left out. In the list's order.

    Raises:
        UsageError: unreadable, not UTF-8, a line that is no path, no path at all.
    """
    scenes: list[ListedScene] = []
    for number, line in enumerate(_text(path, source).split("\n"), start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if flaw := flaw_of(name):
            raise UsageError(f"Line {number} of {source} {flaw}. Give one path or URL a line.")
        scenes.append(ListedScene(placed(name, path.parent), source))
    check_count(scenes, source)
    if not scenes:
        raise UsageError(f"{source} names no scene. Give one path or URL a line; lines with # are comments.")
    return scenes


def from_csv(path: Path, source: str) -> list[ListedScene]:
    """A table with the column `scene` or `path`, maybe `aoi` (a bbox, a vector file, GeoJSON or WKT) and
    maybe `datetime`; other columns are left alone. Paths and vector files are relative to the list's
    folder. In the list's order.

    Raises:
        UsageError: unreadable, not UTF-8, no such column, a line that does not fit, no scene at all.
    """
    text = _text(path, source)
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = next((d for d in DELIMITERS if set(PATH_COLUMNS) & set(_columns(head, d))), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip().lower() for name in next((row for row in rows if row), [])]
        _check_columns(columns, source)
        scenes = [
            _scene(row, columns, path.parent, source, f"Line {rows.line_num} of {source}")
            for row in rows
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as err:
        raise UsageError(
            f"Line {rows.line_num} of {source} cannot be read as CSV: {err}. Put values that hold commas, quotes or "
            'line ends between double quotes, quotes in them doubled (""), and long areas into a vector file.'
        ) from err
    check_count(scenes, source)
    if not scenes:
        raise UsageError(f"{source} has a header and no scene below it. Give one scene a line.")
    return scenes


def _columns(head: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in head.split(delimiter)]


def _check_columns(columns: list[str], source: str) -> None:
    known = [name for name in columns if name in (*PATH_COLUMNS, "aoi", "datetime")]
    if len([name for name in known if name in PATH_COLUMNS]) != 1 or len(set(known)) != len(known):
        has = joined([f'"{name[:50]}"' for name in columns[:20]]) if columns else "nothing"
        raise UsageError(
            f"The first line of {source} holds {has}. It must name one column scene (or path), and may name aoi and "
            "datetime, once each."
        )


def _scene(row: list[str], columns: list[str], folder: Path, source: str, line: str) -> ListedScene:
    if len(row) > len(columns):
        raise UsageError(
            f"{line} has {len(row)} values, but the header {len(columns)}. Put values with a comma, such as a bbox, "
            "between double quotes."
        )
    cells = {name: cell.strip() for name, cell in zip(columns, row, strict=False)}
    name = next(cells[column] for column in PATH_COLUMNS if column in cells)
    if flaw := flaw_of(name):
        raise UsageError(f"{line}: the scene {flaw}. Give a path or URL.")
    area, moment = cells.get("aoi", ""), cells.get("datetime", "")
    parsed = parse_datetime(moment) if moment else None
    if moment and parsed is None:
        raise UsageError(f'{line}: the datetime "{moment[:50]}" is none. Write 2026-05-31T10:20:00Z.')
    return ListedScene(placed(name, folder), source, _area(area, folder) if area else None, parsed)


def _area(text: str, folder: Path) -> str:
    """An AOI with the path of a vector file made relative to the list's folder."""
    name, bar, layer = text.partition("|")
    if not os.path.exists(folder / name) and (is_written_out(text) or looks_like_bbox(text)):  # noqa: PTH110
        return text
    return placed(name, folder) + bar + layer


def _text(path: Path, source: str) -> str:
    """The text of a list, its byte order mark removed."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise UsageError(f"{source} cannot be read: {err.strerror}. Give a list that is there.") from err
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"{source} is larger than {MAX_BYTES >> 20} MB, the most for a list. Split it.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{source} is written in UTF-16. Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        raise UsageError(f"Line {line} of {source} is not UTF-8. Save the list as UTF-8.") from err
