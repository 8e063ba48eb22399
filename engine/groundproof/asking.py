"""Ask a scene a question from Python: `groundproof.ask`.

A thin shell, as the command line is one.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd

from groundproof.ask_options import AskOptions
from groundproof.deliver import write_outputs
from groundproof.listening import Listener
from groundproof.session import Session
from groundproof.tables import Result


@dataclass(frozen=True, repr=False)
class Answer:
    """The answer to one question about one scene (or several).

    result: the four tables. run_dir: where the raw answers lie; None when they were not kept.
    """

    result: Result
    run_dir: Path | None

    def __repr__(self) -> str:
        return f"<Answer {self.text!r}, {len(self.evidence)} boxes, {self.coverage['sentence']}>"

    @property
    def text(self) -> str:
        """The answer as a sentence; several are joined by line breaks."""
        return "\n".join(self.result.answers.answer)

    @property
    def value(self) -> Any:
        """The first answer for machines: a count, True or False, E-numbers, text."""
        return self.result.answers.value.iloc[0]

    @property
    def evidence(self) -> gpd.GeoDataFrame:
        """One row per box, with its polygon, quote, size and verdict."""
        return self.result.evidence

    @property
    def answers(self) -> gpd.GeoDataFrame:
        """One row per scene (or parcel), with plan, synthesis, coverage and audit."""
        return self.result.answers

    @property
    def coverage(self) -> dict[str, Any]:
        """What the first answer looked at, and what not."""
        return dict(self.result.answers.coverage.iloc[0])

    @property
    def audit(self) -> list[dict[str, Any]]:
        """What weakens or confirms the first answer."""
        return list(self.result.answers.audit.iloc[0])


def ask(
    scene: str | Path | list[str | Path],
    question: str,
    *,
    out: str | Path | None = None,
    picture: str | Path | None = None,
    run_dir: str | Path | None = None,
    listener: Listener | None = None,
    **options: Any,
) -> Answer:
    """Ask a question of a scene; see `AskOptions` for the further options (task, aoi, model, ...).

    Without out and run_dir nothing is left on disk. Raises a `GroundproofError` for whatever cannot be done.

    >>> answer = groundproof.ask("harbour.tif", "How many storage tanks are there?")  # doctest: +SKIP
    >>> answer.evidence[["evidence_id", "label", "area_m2"]]  # doctest: +SKIP
    """
    scenes = scene if isinstance(scene, list) else [scene]
    asked = AskOptions(scenes=tuple(str(s) for s in scenes), questions=(question,), **options)
    kept = (
        Path(run_dir) if run_dir is not None else Path(out).with_suffix(".run") if out is not None else None
    )
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch, Session(asked, listener) as session:
        if out is not None:
            session.check_outputs(Path(out), Path(picture) if picture else None, None)
        run, result = session.run(kept or Path(scratch) / "ask.run")
        if out is not None:
            write_outputs(run, result, Path(out), picture=Path(picture) if picture else None)
    return Answer(result, kept)
