"""What readers say of themselves, as a table for people or JSON for machines. Refuses to read any dataset."""

from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from groundproof_training.readers.base import Reader
from groundproof_training.readers.registry import READERS, reader

WIDTH = 110


def listed(*, as_json: bool = False) -> str:
    """Every reader: name, title, tasks, licence."""
    if as_json:
        return json.dumps([_facts(one) for one in READERS.values()], indent=1)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("name", "dataset", "tasks", "licence"):
        table.add_column(title, overflow="fold", no_wrap=title == "name")
    for one in READERS.values():
        card = one.card
        table.add_row(card.name, card.title, ", ".join(map(str, card.tasks)), card.licence)
    return _text(table)


def described(name: str, *, as_json: bool = False) -> str:
    """One reader: what it expects on disk, where that comes from, its counts and options. Raises TrainingError."""
    one = reader(name)
    if as_json:
        return json.dumps(_facts(one), indent=1)
    card = one.card
    lines = [
        f"{card.name}: {card.title}",
        f"  source    {card.source}",
        f"  licence   {card.licence}",
        f"  tasks     {', '.join(map(str, card.tasks))}",
        f"  splits    {', '.join(card.splits)}",
        "  on disk",
        *(f"    {line}" for line in card.layout),
    ]
    if card.counts:
        lines += ["  published counts", *(f"    {number:>9,} {what}" for what, number in card.counts.items())]
    if card.verified:
        lines.append(f"  checked   {card.verified}")
    lines.append("  options (--set option=value)")
    lines += [f"    {key} = {_shown(value)}" for key, value in _options(one).items()]
    about = " ".join((one.options.__doc__ or "").split())
    return "\n".join([*lines, *([f"  {about}"] if about else [])])


def _options(one: Reader) -> dict[str, Any]:
    defaults = one.options().model_dump(mode="json")
    return {name: defaults[name] for name in one.options.model_fields}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "(all)"
    return json.dumps(value) if not isinstance(value, str) else value or '""'


def _facts(one: Reader) -> dict[str, Any]:
    card = one.card
    return {
        "name": card.name,
        "title": card.title,
        "tasks": [str(task) for task in card.tasks],
        "licence": card.licence,
        "source": card.source,
        "layout": list(card.layout),
        "splits": list(card.splits),
        "counts": card.counts,
        "verified": card.verified,
        "options": _options(one),
    }


def _text(table: Table) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=WIDTH, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().splitlines())
