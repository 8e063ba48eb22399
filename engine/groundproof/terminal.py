"""What a person sees in the terminal: the evidence as it comes, the answer, what weakens it, the file.

Knows words and layout. Computes nothing. The story goes to stdout, progress to stderr; colours only on
a terminal. Model text is untrusted: control characters are taken out, markup is never interpreted.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.status import Status
from rich.text import Text

from groundproof.tables import FAILED, NOT_COUNTED, TileStatus, Verdict
from groundproof.wording import duration

if TYPE_CHECKING:
    from groundproof.batch_summary import BatchSummary
    from groundproof.listening import Plan, Seen
    from groundproof.tables import Result

SHOWN_NOTES = 5
"""Notes about scenes printed before the work: among thousands, each may have one."""

SHOWN_EVIDENCE = 40
"""Evidence lines printed at the end; the file holds all of them."""

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VERDICT_STYLE = {
    Verdict.SUPPORTED: "green",
    Verdict.CONTRADICTED: "red",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.DUPLICATE: "dim",
    Verdict.OUT_OF_FRAME: "dim",
}


def plain(text: object) -> str:
    """One line of text that cannot steer the terminal: no escapes, no control or direction characters."""
    return " ".join(_CONTROL.sub(" ", str(text)).split())


class _Pace(ProgressColumn):
    """Tiles per second, of late."""

    def render(self, task: Task) -> Text:
        """ "3.2/s", or nothing while it is unknown."""
        speed = task.finished_speed or task.speed
        return Text(
            "" if speed is None else f"{speed:.1f}/s" if speed < 100 else f"{speed:,.0f}/s", style="dim"
        )


class Terminal:
    """A `Listener` that prints. quiet: only failures and the result's path."""

    def __init__(self, *, quiet: bool = False, json_output: bool = False) -> None:
        self.out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, quiet=json_output)
        self.err = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.quiet = quiet or json_output
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._failed = 0
        self._plans: set[str] = set()
        self._spinner: Status | None = None

    def check(self) -> None:
        """Goes on; Ctrl-C is what stops a terminal's work."""

    def note(self, sentence: str) -> None:
        """Something worth knowing that is not a failure; stderr."""
        if not self.quiet:
            self.err.print(Text(f"note: {plain(sentence)}", style="dim"))

    def warn(self, sentence: str) -> None:
        """Something that weakens the result; stderr, also when quiet."""
        self.err.print(Text(plain(sentence), style="yellow"))

    def planned(self, plan: Plan) -> None:
        """What is about to be looked at; starts the progress line."""
        self._stop_spinner()
        for sentence in plan.notes[:SHOWN_NOTES]:
            self.note(sentence)
        if len(plan.notes) > SHOWN_NOTES:
            self.note(
                f"and {len(plan.notes) - SHOWN_NOTES:,} more notes, in scenes.parquet of the run directory"
            )
        if self.quiet:
            return
        for question in plan.config.questions:
            self.out.print(Text(plain(question.text), style="bold"))
        self.out.print(Text(plain(plan.sentence()), style="dim"))
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("tiles"),
            _Pace(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failures]}", style="yellow"),
            console=self.err,
            transient=True,
            redirect_stdout=self.out.is_terminal,  # else a story sent to a file would land on the terminal
            disable=not self.err.is_terminal,
        )
        self._progress.start()
        self._task = self._progress.add_task(
            "looking", total=plan.tiles, completed=plan.answered, failures=""
        )

    def saw_plan(self, text: str) -> None:
        """The model's plan for a tile; each wording is shown once."""
        wording = plain(text)
        if not self.quiet and wording and wording not in self._plans and len(self._plans) < 3:
            self.out.print(Text.assemble(("Plan  ", "cyan"), wording))
        self._plans.add(wording)

    def saw_evidence(self, seen: Seen) -> None:
        """One box of one tile, before merging."""
        if not self.quiet:
            self.out.print(
                Text.assemble(
                    ("  sees ", "dim"), plain(seen.evidence.label), (f"  {seen.size}  {seen.position}", "dim")
                )
            )

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """A tile has its row."""
        if status in FAILED:
            self._failed += 1
        if self._progress is not None and self._task is not None:
            failures = f"{self._failed} failed" if self._failed else ""
            self._progress.update(self._task, advance=1, failures=failures)
        if status in FAILED and not self.quiet:
            self.err.print(Text(f"tile failed: {status.value}: {plain(reason or '')}", style="yellow"))

    def stage(self, sentence: str) -> None:
        """Another stage begins: planning, second look, overview, writing."""
        if self._progress is None and not self.quiet and self.err.is_terminal:
            if self._spinner is None:
                self._spinner = self.err.status(sentence)
                self._spinner.start()
            self._spinner.update(sentence)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=sentence)

    def stop_progress(self) -> None:
        """Take the progress line away (also after an interrupt)."""
        self._stop_spinner()
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None

    def batch_result(self, summary: BatchSummary, files: dict[str, str]) -> None:
        """What a batch came to: a line for each question, then coverage, then the files but the result."""
        self.stop_progress()
        self.out.print()
        for one in summary.questions:
            self.out.print(Text(plain(one.question), style="bold"))
            self.out.print(Text.assemble(("Answers    ", "bold cyan"), plain(one.sentence())))
        self.out.print(Text.assemble(("Evidence   ", "cyan"), plain(summary.evidence_sentence())))
        self.out.print(Text.assemble(("Scenes     ", "cyan"), plain(summary.scenes_sentence())))
        self.out.print(Text.assemble(("Coverage   ", "cyan"), plain(summary.coverage_sentence())))
        for kind, path in files.items():
            if kind != "result":
                self.out.print(f"{kind[:1].upper() + kind[1:]:<10} {path}")

    def result(self, result: Result) -> None:
        """Every answer: first the answer, right below it what weakens it, then why."""
        self.stop_progress()
        for _, row in result.answers.iterrows():
            evidence = result.evidence[result.evidence.answer_id == row.answer_id]
            self.out.print()
            if len(result.answers) > 1:
                self.out.print(Text(plain(f"{row.scene}: {row.question}"), style="bold"))
            self.out.print(Text.assemble(("Answer     ", "bold cyan"), (plain(row.answer), "bold")))
            for finding in row.audit:
                if finding["severity"] != "info":
                    self.out.print(Text(f"         ! {plain(finding['sentence'])}", style="yellow"))
            if row.plan:
                self.out.print(Text.assemble(("Plan       ", "cyan"), plain(row.plan)))
            self._evidence(evidence)
            if row.synthesis:
                self.out.print(Text.assemble(("Synthesis  ", "cyan"), plain(row.synthesis)))
            infos = [f for f in row.audit if f["severity"] == "info"]
            for index, finding in enumerate(infos):
                self.out.print(
                    Text.assemble(
                        ("Audit      " if index == 0 else " " * 11, "cyan"), plain(finding["sentence"])
                    )
                )
            self.out.print(Text.assemble(("Coverage   ", "cyan"), plain(row.coverage["sentence"])))

    def _evidence(self, evidence: object) -> None:
        rows = list(evidence.itertuples())  # type: ignore[attr-defined]
        for index, row in enumerate(rows[:SHOWN_EVIDENCE]):
            head = "Evidence   " if index == 0 else " " * 11
            line = Text.assemble((head, "cyan"), (f"{row.evidence_id:<5}", "bold"), f"{plain(row.label):<14}")
            if row.width_m == row.width_m and row.width_m is not None:
                line.append(f"{row.width_m:7.1f} x {row.height_m:<6.1f} m  ")
            else:
                x0, y0, x1, y1 = row.box_px
                line.append(f"{x1 - x0:7.0f} x {y1 - y0:<5.0f} px  ")
            centre = row.geometry.centroid
            line.append(
                f"at {centre.x:.6g}, {centre.y:.6g}  "
                if abs(centre.x) <= 360
                else f"at {centre.x:.1f}, {centre.y:.1f}  "
            )
            line.append(row.verdict, style=_VERDICT_STYLE.get(Verdict(row.verdict), ""))
            if Verdict(row.verdict) in NOT_COUNTED:
                line.append(" (not counted)", style="dim")
            self.out.print(line)
        if len(rows) > SHOWN_EVIDENCE:
            self.out.print(
                Text(f"{' ' * 11}... and {len(rows) - SHOWN_EVIDENCE} more in the file", style="dim")
            )


def result_document(result: Result, files: dict[str, str]) -> str:
    """The whole answer as one JSON document, for `--json`."""
    answers = json.loads(result.answers.drop(columns="geometry").to_json(orient="records"))
    evidence = json.loads(result.evidence.drop(columns="geometry").to_json(orient="records"))
    for row, geometry in zip(evidence, result.evidence.geometry, strict=True):
        row["wkt"] = None if geometry is None else geometry.wkt
    crs = result.evidence.crs
    document = json.dumps(
        {"answers": answers, "evidence": evidence, "crs": crs.to_string() if crs else None, "files": files},
        ensure_ascii=False,
        indent=2,
    )
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


SHOWN_FAILURES = 5
"""Failed tiles told while a batch runs; the list holds all of them."""
LINE_EVERY_S = 60.0
"""How often a batch tells how far it is where nobody watches a progress line: in a log."""


class BatchTerminal(Terminal):
    """Tells of a batch: no single boxes, the first failures, and how far it is."""

    def __init__(self, *, quiet: bool = False, json_output: bool = False) -> None:
        super().__init__(quiet=quiet, json_output=json_output)
        self._tiles = self._done = self._before = 0
        self._started = self._told = 0.0

    def planned(self, plan: Plan) -> None:
        """As for a question, and the clock starts."""
        super().planned(plan)
        self._tiles, self._done, self._before = plan.tiles, plan.answered, plan.answered
        self._started = self._told = time.monotonic()

    def saw_plan(self, text: str) -> None:
        """Not of thousands of tiles."""

    def saw_evidence(self, seen: Seen) -> None:
        """Nor single boxes."""

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Counted; the first failures are told, and once in a while how far it is."""
        shown = not self.quiet and status in FAILED and self._failed < SHOWN_FAILURES
        quiet, self.quiet = self.quiet, not shown
        super().tile_done(status, reason)
        self.quiet = quiet
        if shown and self._failed == SHOWN_FAILURES:
            self.note("further failed tiles are counted and listed at the end")
        self._done += 1
        now = time.monotonic()
        if not self.quiet and not self.err.is_terminal and now - self._told >= LINE_EVERY_S:
            self._told = now
            self.err.print(self._line(now))

    def _line(self, now: float) -> str:
        pace = (self._done - self._before) / max(now - self._started, 1e-9)
        left = duration((self._tiles - self._done) / pace) if pace else "unknown"
        failed = f", {self._failed:,} failed" if self._failed else ""
        return f"{self._done:,} of {self._tiles:,} tiles, {pace:.2g} tiles/s, {left} left{failed}"
