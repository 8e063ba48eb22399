"""What a build would take: per row what the official split gives here, the published count, the difference, and what is
missing. Knows counts. Refuses to look at pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from groundproof_training.build.composition import Composition, Row
from groundproof_training.build.reading import card_of, folder_of, read_row
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Problems


@dataclass(frozen=True, slots=True)
class RowPlan:
    """here: samples that the folder gives; None where it is missing. missing: what to do about it, "" where nothing
    is."""

    row: Row
    here: int | None
    missing: str

    @property
    def against_official(self) -> int | None:
        """Published minus official: what a published build has more than the official split gives."""
        row = self.row
        return None if row.published is None or row.official is None else row.published - row.official

    @property
    def against_published(self) -> int | None:
        """Here minus published."""
        return None if self.here is None or self.row.published is None else self.here - self.row.published


def plan(
    composition: Composition, data: Path, problems: Problems, say: Callable[[str], None] = lambda _: None
) -> list[RowPlan]:
    """Count every row; labels are read, pictures are not. Raises TrainingError for a configuration that is wrong."""
    plans = []
    for row in composition.rows:
        card = card_of(row)
        if folder_of(row, data) is None:
            how = f" {row.how}" if row.how else ""
            layout = "; ".join(card.layout)
            missing = (
                f"{data / row.folder}: get {card.title} from {card.source}.{how} Expected in it: {layout}"
            )
            plans.append(RowPlan(row, None, missing))
            continue
        say(f"counting {row.name}")
        try:
            plans.append(RowPlan(row, sum(1 for _ in read_row(row, data, problems, decode=False)), ""))
        except TrainingError as err:
            plans.append(RowPlan(row, None, str(err)))
    return plans


def table(composition: Composition, plans: list[RowPlan]) -> list[str]:
    """For a terminal."""
    width = max(len(p.row.name) for p in plans)
    lines = [
        f"{composition.title}",
        f"{'row':<{width}}  use    {'here':>9} {'official':>9} {'published':>9} {'differs':>9}",
    ]
    for one in plans:
        numbers = (one.here, one.row.official, one.row.published, _difference(one))
        lines.append(
            f"{one.row.name:<{width}}  {one.row.use:<5}  " + " ".join(f"{_number(n):>9}" for n in numbers)
        )
    total = sum(p.row.published or 0 for p in plans)
    here = sum(p.here or 0 for p in plans if p.row.use != "audit")
    lines.append(f"here: {here:,} for training; published rows: {total:,}"
                 + (f" of {composition.published_total:,}" if composition.published_total else ""))  # fmt: skip
    lines.append("differs: published minus here, or minus official where nothing is here")
    lines += [f"{one.row.name}: {one.row.note}" for one in plans if one.row.note]
    lines += [f"missing: {said}" for said in dict.fromkeys(one.missing for one in plans if one.missing)]
    return lines


def _difference(one: RowPlan) -> int | None:
    return one.against_official if one.against_published is None else -one.against_published


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
