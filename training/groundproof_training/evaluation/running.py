"""A suite asked of models: read, ask, score, compare. What `groundproof-train evaluate --model` does.

Knows benchmarks, models and results. Refuses to know datasets, prompts, metrics and how a report looks.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from groundproof.errors import ModelError
from groundproof.protocol import PROMPT_VERSION
from groundproof.version import __version__
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.answers import NAME, Answers, NotKeptError
from groundproof_training.evaluation.asking import (
    Account,
    AskSettings,
    Model,
    ModelDiedError,
    Say,
    check_model,
    decoding_of,
    open_any,
)
from groundproof_training.evaluation.baselines import is_baseline
from groundproof_training.evaluation.benchmarks import BENCH, Benchmark, NoDataError, Prompt, Read, benchmarks
from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.gallery import gallery
from groundproof_training.evaluation.results import EntryResult, Evaluation, Scores
from groundproof_training.evaluation.scenes import SCENE
from groundproof_training.evaluation.scoring import differences, score
from groundproof_training.evaluation.statistics import DRAWS
from groundproof_training.packages import versions
from groundproof_training.progress import duration
from groundproof_training.readers.base import Problems, WrongFolderError

PACKAGES = ("torch", "transformers", "vllm", "numpy", "pillow")
TIMED = 4
"""Questions that a dry run asks a model at the least to tell how long all would take, and as many as the model answers
at once: a step costs about the same for one row of a batch as for all. With an output folder they are kept."""
WARM_UP_TOKENS = 8
"""Of the question asked before those, which is neither timed nor kept."""


def run_suite(
    models: Sequence[str],
    suite: str,
    data: Path | None,
    out: Path | None,
    *,
    only: Sequence[str] = (),
    limit: int | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    dry_run: bool = False,
    prompt: Prompt = "engine",
    settings: AskSettings | None = None,
    device: str = "auto",
    java: bool = False,
    say: Say = lambda line: None,
) -> Evaluation:
    """Every entry of a suite asked of every model, scored, and compared with the first model.

    models: as `ask --model` takes them, or `baseline:none`, `baseline:centre`. data: folder that holds the datasets'
    folders; the suite bench-v1 needs none. out: where `answers.jsonl` lies; an answer in it is not asked for again.
    limit: questions of each entry, drawn by the hashes of their ids. draws: of the bootstrap. java: COCO's own caption
    tools too. dry_run: nothing is scored, and a few questions are asked of each model to tell the time.

    An entry without data, or one that fails, says so in its result and the others go on. Raises TrainingError or
    ModelError for what is asked wrongly, ModelDiedError where a model is gone, and NotKeptError where the disk is full:
    answers until then are kept.
    """
    if not models or len(set(models)) < len(models):
        raise TrainingError(f"give one model or several different ones, got {', '.join(models) or 'none'}")
    todo = _chosen(benchmarks(suite, prompt), suite, only)
    if data is None and suite != BENCH:
        raise TrainingError(f"the suite {suite} needs the folder of its datasets; give it with --data DIR")
    if data is not None and not data.is_dir():
        raise TrainingError(f"{data} is no folder; --data takes the folder that holds the datasets' folders")
    for name in models:
        check_model(name)
    runner = _Runner(
        Models(tuple(models), device, say),
        Answers(None if out is None else out / NAME),
        settings or AskSettings(),
        data or Path(),
        limit,
        draws,
        seed,
        java,
        say,
    )
    if runner.answers.broken:
        lines = ", ".join(map(str, runner.answers.broken[:5]))
        say(
            f"{runner.answers.path}: {len(runner.answers.broken)} lines are broken ({lines}), as a kill leaves them; "
            "their questions are asked again"
        )
    with runner.models:
        work = runner.dry if dry_run else runner.entry
        entries = [work(number, len(todo), one) for number, one in enumerate(todo, start=1)]
        configuration = {
            "suite": suite,
            "only": list(only),
            "data": None if data is None else str(data),
            "limit": limit,
            "draws": draws,
            "seed": seed,
            "prompt": prompt,
            "settings": runner.settings.model_dump(mode="json"),
            "models": runner.models.facts(runner.settings),
            "engine": {"groundproof": __version__, "prompt": PROMPT_VERSION},
            "versions": {"python": platform.python_version(), **versions(PACKAGES)},
            "broken_lines": len(runner.answers.broken),
            "dry_run": dry_run,
        }
    return Evaluation(f"Suite {suite}", tuple(models), tuple(entries), configuration)


def _chosen(found: list[Benchmark], suite: str, only: Sequence[str]) -> list[Benchmark]:
    unknown = [name for name in only if name not in {one.name for one in found}]
    if unknown:
        known = ", ".join(one.name for one in found)
        raise TrainingError(f"the suite {suite} has no entry {unknown[0]!r}; it has {known}")
    return [one for one in found if not only or one.name in only]


@dataclass(slots=True)
class Models:
    """Models by the name a person gave, opened when they are first asked, closed at the end."""

    names: tuple[str, ...]
    device: str
    say: Say
    _open: dict[str, Model] = field(default_factory=dict)

    def __enter__(self) -> Models:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for model in self._open.values():
                stack.callback(model.close)
        self._open.clear()

    def get(self, name: str) -> Model:
        """Raises ModelDiedError for one that cannot be opened, so that no other entry tries."""
        if name not in self._open:
            if not is_baseline(name):
                self.say(f"opening {name}")
            try:
                self._open[name] = open_any(name, self.device)
            except ModelError as err:
                raise ModelDiedError(str(err)) from err
        return self._open[name]

    def facts(self, settings: AskSettings) -> dict[str, Any]:
        """Of those that were opened: what answers, and how it decodes."""
        return {
            name: {
                "identity": model.identity,
                "profile": model.profile.model_dump(mode="json"),
                "decoding": decoding_of(model.profile, settings),
            }
            for name, model in self._open.items()
        }


@dataclass(slots=True)
class _Runner:
    models: Models
    answers: Answers
    settings: AskSettings
    data: Path
    limit: int | None
    draws: int
    seed: int
    java: bool
    say: Say
    _rates: dict[str, float] = field(default_factory=dict)

    def entry(self, number: int, of: int, one: Benchmark) -> EntryResult:
        """One benchmark, from data to figures."""
        result = _blank(one)
        read = self._read(number, of, one)
        if isinstance(read, EntryResult):
            return read
        by_id = {question.case_id: question for question in read.questions}
        cases: dict[str, list[Case]] = {}
        accounts: dict[str, dict[str, int]] = {}
        for name in self.models.names:
            account = Account()
            prefix = f"[{number}/{of}] {one.name}, {name}: "

            def told(line: str, prefix: str = prefix) -> None:
                self.say(prefix + line)

            try:
                cases[name] = one.answer(
                    read.questions,
                    self.models.get(name),
                    self.answers,
                    self.settings,
                    told,
                    account,
                    read.problems,
                )
            except (ModelDiedError, NotKeptError):
                raise
            except Exception as err:  # noqa: BLE001 - one entry that cannot be asked does not stop the others
                return self._failed(result, "could not be asked", err)
            accounts[name] = {"asked": account.asked, "kept": account.kept, "failed": account.failed}
            told(f"{len(cases[name]):,} answers, {account.kept:,} of them kept from before")
        try:
            first = self.models.names[0]
            result = replace(
                result,
                status="scored",
                scores={name: self._score(mine) for name, mine in cases.items()},
                compared={
                    f"{first} vs {name}": differences(cases[first], mine, draws=self.draws, seed=self.seed)
                    for name, mine in cases.items()
                    if name != first
                },
                gallery={name: gallery(mine, by_id) for name, mine in cases.items()},
            )
        except Exception as err:  # noqa: BLE001 - one entry that cannot be scored does not stop the others
            return self._failed(result, "could not be scored", err)
        return replace(
            result,
            problems=dict(read.problems.counts),
            examples=dict(read.problems.examples),
            configuration={
                **one.facts, **read.facts, "questions": len(read.questions), "limit": self.limit, "answers": accounts
            },
        )  # fmt: skip

    def _score(self, cases: list[Case]) -> Scores:
        return score(cases, draws=self.draws, seed=self.seed, java=self.java, say=self.say)

    def dry(self, number: int, of: int, one: Benchmark) -> EntryResult:
        """What would be asked, and about how long it would take."""
        read = self._read(number, of, one)
        if isinstance(read, EntryResult):
            return read
        seconds = {name: self._expected(name, one, read) for name in self.models.names}
        said = ", ".join(
            f"{name}: {'not known' if s is None else duration(s)}" for name, s in seconds.items()
        )
        reason = f"{len(read.questions):,} questions; expected time: {said}"
        self.say(f"[{number}/{of}] {one.name}: {reason}")
        return replace(
            _blank(one),
            reason=reason,
            problems=dict(read.problems.counts),
            examples=dict(read.problems.examples),
            configuration={**one.facts, **read.facts, "questions": len(read.questions), "seconds": seconds},
        )

    def _read(self, number: int, of: int, one: Benchmark) -> Read | EntryResult:
        self.say(f"[{number}/{of}] {one.name}: reading")
        try:
            read = one.read(self.data, self.limit)
        except (NoDataError, WrongFolderError) as err:
            self.say(f"[{number}/{of}] {one.name}: no data")
            return replace(_blank(one), status="no data", reason=str(err))
        except Exception as err:  # noqa: BLE001 - one data set that cannot be read does not stop the others
            return self._failed(_blank(one), "could not be read", err)
        if not read.questions:
            why = "; ".join(read.problems.lines())
            return replace(
                _blank(one), status="no data", reason=f"its folder gives no question. {why}".strip()
            )
        return read

    def _failed(self, result: EntryResult, what: str, err: Exception) -> EntryResult:
        sentence = str(err) if isinstance(err, TrainingError) else f"{type(err).__name__}: {err}"
        self.say(f"{result.name} {what}: {sentence}")
        return replace(result, status="failed", reason=f"it {what}: {sentence}")

    def _expected(self, name: str, one: Benchmark, read: Read) -> float | None:
        """Seconds; None for whole scenes, whose tiles a dry run does not count."""
        if is_baseline(name):
            return 0.0
        if one.scene is not None:
            return None
        if name not in self._rates:
            model = self.models.get(name)
            kept = _seconds(self.answers, model)
            if not any(kept):
                few = Answers(None) if self.answers.path is None else self.answers
                self._time(one, read, model, few)
                kept = _seconds(few, model)
            self._rates[name] = sum(kept) / max(1, len(kept))
        return self._rates[name] * len(read.questions)

    def _time(self, one: Benchmark, read: Read, model: Model, few: Answers) -> None:
        """Ask some questions, whose answers with their seconds are then in `few`, of a model that is warm."""
        most = min(WARM_UP_TOKENS, self.settings.max_new_tokens or WARM_UP_TOKENS)
        short = self.settings.model_copy(update={"max_new_tokens": most})
        for questions, answers, settings, problems in (
            (read.questions[-1:], Answers(None), short, Problems()),
            (read.questions[: max(TIMED, model.max_in_flight)], few, self.settings, read.problems),
        ):
            one.answer(questions, model, answers, settings, lambda line: None, Account(), problems)


def _seconds(answers: Answers, model: Model) -> list[float]:
    """Of a model's questions about single pictures. What ended in one step with another has 0, and counts."""
    rows = answers.of_model(model.identity)
    return [row.seconds for row in rows if not row.key.case_id.startswith(SCENE)]


def _blank(one: Benchmark) -> EntryResult:
    return EntryResult(
        one.name,
        one.title,
        one.family,
        "not run",
        published=one.published,
        published_samples=one.published_samples,
        configuration=dict(one.facts),
    )
