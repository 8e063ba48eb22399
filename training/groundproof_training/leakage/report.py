"""What an audit found, for people and machines: a table for the terminal, JSON, one HTML page with the pictures.

Knows an `Audit`. Refuses to compare anything.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from groundproof_training.leakage.audit import Audit, GroupKey, Pair, View

SHOWN_PAIRS = 40
"""Of two parts, how many pairs the page shows; all are counted, and all are in the JSON."""

SIDE_PX = 160

NOT_LOOKED_FOR = (
    "Not looked for: a part of one file inside another file, unless file names tell the original; one place on two "
    "dates; and pictures without detail, which are compared by bytes and pixels only."
)


def part_name(key: GroupKey) -> str:
    """ "vrsbench/train"."""
    return f"{key[0]}/{key[1]}"


def as_json(audit: Audit) -> dict[str, Any]:
    """Everything found: options, parts with numbers of pictures, pairs with both files and their samples, the table,
    what to drop, what could not be read."""
    return {
        "options": {name: getattr(audit.options, name) for name in audit.options.__slots__},
        "not_looked_for": NOT_LOOKED_FOR,
        "pictures": {part_name(key): number for key, number in pictures(audit).items()},
        "table": [
            {"of": part_name(row), "also_in": part_name(column), "pictures": number}
            for (row, column), number in audit.table().items()
        ],
        "train_test_pairs": len(audit.leaks()),
        "pairs": [
            {
                "kind": str(pair.kind),
                "detail": pair.detail,
                "crosses": [[part_name(a), part_name(b)] for a, b in audit.crossing(pair)],
                "first": _view(audit.views[pair.first]),
                "second": _view(audit.views[pair.second]),
            }
            for pair in audit.pairs
        ],
        "drop": {part_name(key): list(ids) for key, ids in audit.to_drop().items()},
        "without_detail": [str(audit.views[n].file) for n in audit.plain],
        "problems": dict(audit.problems.counts),
        "problem_examples": {kind: list(said) for kind, said in audit.problems.examples.items()},
    }


def _view(view: View) -> dict[str, Any]:
    samples = {part_name(key): ids for key, ids in view.samples.items()}
    return {"file": str(view.file), "window": view.window, "samples": samples}


def pictures(audit: Audit) -> dict[GroupKey, int]:
    """How many pictures each part has."""
    counted = Counter(key for view in audit.views for key in view.samples)
    return {key: counted[key] for key in audit.parts}


def table(audit: Audit) -> str:
    """For a terminal: a row says how many of its pictures each column shows too."""
    found = audit.table()
    number_of = pictures(audit)
    names = [part_name(key) for key in audit.parts]
    left = max([len(name) for name in names] + [len("pictures of")])
    cells = [[str(found.get((row, column), 0) or ".") for column in audit.parts] for row in audit.parts]
    marks = [f"({k + 1})" for k in range(len(names))]
    width = max([5] + [len(cell) for row in cells for cell in row])
    count = max([len("pictures")] + [len(f"{n:,}") for n in number_of.values()])
    lines = [
        f"{'pictures of':<{left}}      {'pictures':>{count}}  {' '.join(f'{m:>{width}}' for m in marks)}"
    ]
    for key, name, mark, row in zip(audit.parts, names, marks, cells, strict=True):
        body = " ".join(f"{cell:>{width}}" for cell in row)
        lines.append(f"{name:<{left}} {mark:>4} {number_of[key]:>{count},}  {body}")
    kinds = Counter(str(pair.kind) for pair in audit.pairs)
    said = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common()) or "none"
    lines.append(f"pairs: {said}; train and test: {len(audit.leaks()):,}")
    if audit.plain:
        lines.append(f"{len(audit.plain):,} pictures have too little detail to compare by look")
    lines.append(NOT_LOOKED_FOR)
    return "\n".join(lines)


def write_json(audit: Audit, file: Path) -> None:
    """`as_json` to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(as_json(audit), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_html(audit: Audit, file: Path) -> None:
    """One page that needs nothing beside it: the table, then pairs side by side, train and test first."""
    by_parts: defaultdict[tuple[GroupKey, GroupKey], list[Pair]] = defaultdict(list)
    for pair in audit.pairs:
        for crossing in audit.crossing(pair):
            by_parts[crossing].append(pair)
    order = sorted(
        by_parts, key=lambda key: ({key[0][1], key[1][1]} != {"train", "test"}, key[0][1] == key[1][1])
    )
    body = [_html_table(audit), f"<p>{html.escape(NOT_LOOKED_FOR)}</p>"]
    for one, other in order:
        pairs = by_parts[one, other]
        body.append(
            f"<h2>{html.escape(part_name(one))} and {html.escape(part_name(other))}: {len(pairs):,}</h2>"
        )
        if len(pairs) > SHOWN_PAIRS:
            body.append(f"<p>The first {SHOWN_PAIRS} are shown.</p>")
        body += [_html_pair(audit, pair) for pair in pairs[:SHOWN_PAIRS]]
    if audit.problems.counts:
        body.append("<h2>Left out</h2><pre>" + html.escape("\n".join(audit.problems.lines())) + "</pre>")
    page = _PAGE.replace("BODY", "\n".join(body))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Leakage audit</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}th{text-align:left}
td.leak{background:#fdd;font-weight:bold}.pair{display:inline-block;margin:.4em;border:1px solid #ccc;padding:.4em;
vertical-align:top;width:340px}.pair img{width:160px;height:160px;object-fit:contain;background:#eee}
.pair p{margin:.2em 0;font-size:12px;overflow-wrap:anywhere}</style>
<h1>Leakage audit</h1>
BODY
</html>
"""


def _html_table(audit: Audit) -> str:
    found, number_of = audit.table(), pictures(audit)
    head = "".join(f"<th>{html.escape(part_name(key))}</th>" for key in audit.parts)
    rows = []
    for row in audit.parts:
        cells = []
        for column in audit.parts:
            number = found.get((row, column), 0)
            leak = number and {row[1], column[1]} == {"train", "test"}
            cells.append(f"<td{' class=leak' if leak else ''}>{number or ''}</td>")
        name = html.escape(part_name(row))
        rows.append(f"<tr><th>{name}</th><td>{number_of[row]:,}</td>{''.join(cells)}</tr>")
    return (
        "<p>A row says how many of its pictures each column shows too. Train and test in red.</p>"
        f"<table><tr><th>pictures of</th><th>in all</th>{head}</tr>{''.join(rows)}</table>"
    )


def _html_pair(audit: Audit, pair: Pair) -> str:
    one, other = audit.views[pair.first], audit.views[pair.second]
    said = f"{pair.kind}{': ' + pair.detail if pair.detail else ''}"
    shown = [one] if one is other else [one, other]
    names = "".join(f"<p>{html.escape(_caption(view))}</p>" for view in shown)
    return (
        f"<div class=pair>{_thumbnail(one)} {_thumbnail(other)}<p><b>{html.escape(said)}</b></p>{names}</div>"
    )


def _caption(view: View) -> str:
    window = "" if view.window is None else f" {list(view.window)}"
    parts = "; ".join(f"{part_name(key)}: {len(ids)} samples" for key, ids in view.samples.items())
    return f"{view.file.parent.name}/{view.file.name}{window} ({parts})"


def _thumbnail(view: View) -> str:
    try:
        with Image.open(view.file) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        if view.window is not None:
            picture = picture.crop(view.window)
        picture.thumbnail((SIDE_PX, SIDE_PX))
    except (OSError, ValueError, Image.DecompressionBombError):
        return "<span>cannot be read</span>"
    kept = io.BytesIO()
    picture.save(kept, format="JPEG", quality=80)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(kept.getvalue()).decode()}">'
