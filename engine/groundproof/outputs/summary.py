"""One line per answer for a spreadsheet.

Knows CSV and what spreadsheets do with text: a cell that starts like a formula is one, whoever wrote it.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundproof.outputs import jsontext
from groundproof.outputs.files import replacing
from groundproof.outputs.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundproof.tables import Tables

HEADER = ("scene", "question", "value", "coverage", "failures")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet read text as a formula (OWASP, CSV injection)."""


def write_summary(tables: Tables, path: str | Path) -> None:
    """Writes summary.csv: scene (or parcel), question, value, coverage, failures; UTF-8, one row per answer,
    then one for each scene without any.

    value: the number as it is, yes or no, text, or JSON for lists. coverage: the sentence of the answer.
    failures: how many tiles failed, how and why. Text that a spreadsheet would run gets an apostrophe in
    front; numbers never do.

    Raises:
        OutputError: see `files.replacing`.
    """
    with (
        replacing(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([cell(c) for c in cells] for cells in _rows(tables))


def _rows(tables: Tables) -> Iterator[tuple[Any, ...]]:
    answered: set[str] = set()
    for frame in tables.frames("answers"):
        answered.update(frame.scene)
        columns = frame[["scene", "question", "value", "coverage", "context"]]
        for scene, question, value, coverage, context in columns.itertuples(index=False, name=None):
            cover = coverage if isinstance(coverage, dict) else {}
            area = context.get("area") if isinstance(context, dict) else None
            yield (
                f"{scene}: {area}" if area else scene,
                question,
                _value(value),
                cover.get("sentence"),
                _failures(cover.get("failures")),
            )
    # Joined to a list of scenes, one without a row would read as one with nothing in it.
    for frame in tables.frames("scenes"):
        unseen = frame[(frame.status != "ok") & ~frame.scene.isin(answered)]
        for scene, status, reason in unseen[["scene", "status", "reason"]].itertuples(index=False, name=None):
            yield scene, None, None, "not looked at", f"{status}: {reason}"


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        return jsontext.dumps(value)
    return value


def _failures(failures: Any) -> str:
    """ "2 x read_error: the network drive is gone; 1 x ..." """
    if not isinstance(failures, list):
        return ""
    counted = Counter(
        f"{f.get('status')}: {f.get('reason')}" if isinstance(f, dict) else str(f) for f in failures
    )
    return "; ".join(f"{n} x {what}" for what, n in counted.most_common())


def cell(value: Any) -> Any:
    """The value as a cell. Numbers stay numbers, missing is empty, text like a formula is quoted."""
    if value is None or value != value:
        return ""
    if isinstance(value, int | float):
        return value
    text = clean(str(value))
    # Leading blanks are skipped by spreadsheets too.
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
