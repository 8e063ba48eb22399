"""The ablation, cell by cell: data once, then train, ask, keep. A cell that is done is not done again.

    OUT/data/sft.jsonl, grpo.jsonl, images/   procedural samples with rationales
    OUT/cells/CELL/seed-N/model/              the trained model, its log and configuration
    OUT/cells/CELL/seed-N/answers/            its answers
    OUT/cells/CELL/seed-N/result.json         its figures
    OUT/cells/CELL/seed-N/key, seconds.json   what decides the model; the time it took, over all runs

Knows folders, order and time. Refuses to know losses, rewards and metrics.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean

from groundproof.models.identity import content_hash
from groundproof.protocol import PROMPT_VERSION
from groundproof_training.ablation.cells import Cell, runs
from groundproof_training.ablation.cells import cell as by_name
from groundproof_training.ablation.clock import Clock
from groundproof_training.ablation.columns import COLUMNS
from groundproof_training.ablation.evaluating import REAL, evaluate
from groundproof_training.ablation.results import FILE, CellResult, Trained, keep, path_of, read
from groundproof_training.ablation.settings import AblationSettings, DataSettings, configuration_of, packages
from groundproof_training.ablation.stopping import late_requests
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.answers import NotKeptError
from groundproof_training.progress import duration
from groundproof_training.readers.base import Problems
from groundproof_training.readers.procedural import ProceduralOptions, ProceduralReader
from groundproof_training.samples import Sample
from groundproof_training.samples.storage import read_samples, write_samples
from groundproof_training.scenes.version import generator_hash
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.run import Interrupted, Order

Say = Callable[[str], None]
VERSION = 1
"""Of what a cell does; results of another one are made again."""


@dataclass(slots=True)
class Ablation:
    """One run of the command. base: folder of the model that all cells come from. data: folder of real sets."""

    out: Path
    settings: AblationSettings
    base: Path
    data: Path | None
    say: Say
    only: tuple[str, ...] = ()
    _took: dict[str, list[float]] = field(default_factory=dict)

    def work(self) -> list[tuple[Cell, int]]:
        """All cells with their seeds, in order."""
        return list(runs(self.only, self.settings.seeds))

    def finished(self, cell: Cell, seed: int) -> CellResult | None:
        """The kept result, where it was made with these settings, base and data, and is no failure."""
        found = self._kept(cell, seed)
        return found if found is not None and found.status == "ok" else None

    def results(self) -> list[CellResult]:
        """All kept results that were made with these settings, base and data, failures too, whatever `only` says."""
        found = (self._kept(cell, seed) for cell, seed in runs((), self.settings.seeds))
        return [one for one in found if one is not None]

    def _kept(self, cell: Cell, seed: int) -> CellResult | None:
        file = path_of(self.out, cell.name, seed) / FILE
        if not file.is_file():
            return None
        found = read(file)
        return found if found.key == self.key(cell, seed) else None

    def run(self) -> Iterator[CellResult]:
        """Every cell's result, kept ones too, as they come. Raises Interrupted when asked to stop."""
        work = self.work()
        todo = [one for one in work if self.finished(*one) is None]
        if todo:
            self.say(f"{len(work)} cells, {len(work) - len(todo)} of them done before")
            prepare(self.out / "data", self.settings.data, self.say)
        failed: set[tuple[str, int]] = set()
        for cell, seed in work:
            before = self.finished(cell, seed)
            if before is not None:
                self._took.setdefault(cell.stage, []).append(before.train_seconds + before.evaluate_seconds)
                yield before
                continue
            place = todo.index((cell, seed))
            self.say(f"[{place + 1}/{len(todo)}] {cell.title}, seed {seed}; {self._left(todo[place:])}")
            parent = None if cell.begins is None else (cell.begins, self._seed(cell, seed))
            if parent in failed:
                result = self._failure(cell, seed, f"it begins with {cell.begins}, which failed")
            else:
                result = self._one(cell, seed)
            if result.status == "failed":
                failed.add((cell.name, seed))
                self.say(f"{cell.title}, seed {seed}: {result.reason}")
            keep(path_of(self.out, cell.name, seed), result)
            yield result

    def _one(self, cell: Cell, seed: int) -> CellResult:
        folder, key = path_of(self.out, cell.name, seed), self.model_key(cell, seed)
        kept_key = folder / "key"
        if folder.exists() and (not kept_key.is_file() or kept_key.read_text(encoding="utf-8") != key):
            shutil.rmtree(folder)  # trained with other settings, from another base or by other code
        folder.mkdir(parents=True, exist_ok=True)
        kept_key.write_text(key, encoding="utf-8")
        clock = Clock(folder / "seconds.json")

        def told(line: str) -> None:
            self.say(f"  {cell.name}, seed {seed}: {line}")

        try:
            with clock.running("train"):
                trained = None if cell.stage == "base" else self._train(cell, seed, folder / "model", told)
            with clock.running("evaluate"):
                found = evaluate(
                    self._model_of(cell, seed), self.settings.evaluation, self.data, folder / "answers", told
                )
        except (Interrupted, NotKeptError, KeyboardInterrupt):
            raise
        except Exception as err:  # noqa: BLE001 - a cell that fails is a row with its reason; the others go on
            sentence = str(err) if isinstance(err, TrainingError) else f"{type(err).__name__}: {err}"
            return self._failure(cell, seed, sentence)
        shutil.rmtree(folder / "model" / "checkpoints", ignore_errors=True)
        took = CellResult(
            cell=cell.name,
            seed=seed,
            key=self.key(cell, seed),
            status="ok",
            train_seconds=clock.seconds("train"),
            evaluate_seconds=clock.seconds("evaluate"),
            trained=trained,
            answers=found.answers,
            figures=found.figures,
            real=found.real,
            real_left_out=found.real_left_out,
        )
        self._took.setdefault(cell.stage, []).append(took.train_seconds + took.evaluate_seconds)
        return took

    def _train(self, cell: Cell, seed: int, out: Path, say: Say) -> Trained:
        # A kill while the finished model was moved into its place leaves `unfinished`.
        if not any(out.glob("*.safetensors")) or (out / "unfinished").exists():
            order = Order(
                configuration_of(cell, seed, self.settings),
                str(self._model_of(cell, seed, begins=True)),
                self.out / "data" / f"{cell.stage}.jsonl",
                self.out / "data",
                out,
                resume=(out / "run.json").is_file(),
            )
            with late_requests():
                if cell.stage == "sft":
                    from groundproof_training.tuning.sft import run_sft

                    run_sft(order, say)
                else:
                    from groundproof_training.tuning.grpo import run_grpo

                    run_grpo(order, say)
        left_out = sum(LeftOut(out / "left-out.jsonl").counted().values())
        if left_out:
            raise TrainingError(
                f"{left_out} samples could not be trained on ({out / 'left-out.jsonl'} says why), so this cell saw "
                "others than the cells it is compared with; where they are too long, raise data.max_tokens of the "
                "training configuration"
            )
        return trained_of(out / "log.jsonl")

    def _model_of(self, cell: Cell, seed: int, begins: bool = False) -> Path:
        name = cell.begins if begins else cell.name
        if name in (None, "base"):
            return self.base
        return path_of(self.out, name or "", seed) / "model"

    @staticmethod
    def _seed(cell: Cell, seed: int) -> int:
        return 0 if cell.begins == "base" else seed

    def _failure(self, cell: Cell, seed: int, reason: str) -> CellResult:
        return CellResult(cell=cell.name, seed=seed, key=self.key(cell, seed), status="failed", reason=reason)

    def key(self, cell: Cell, seed: int) -> str:
        """Hash of everything that decides a cell's figures, what the columns are included: where one is measured on
        other questions, kept answers are scored again."""
        evaluation = self.settings.evaluation
        real = [name for name in REAL if self._is_there(name)] if evaluation.pictures else []
        columns = [asdict(column) for column in COLUMNS]
        return _hash([self.model_key(cell, seed), evaluation.model_dump(), real, columns])

    def model_key(self, cell: Cell, seed: int) -> str:
        """Hash of everything that decides a cell's model, that of the one it begins with included. How it is evaluated
        is none of it, so that other questions need no training."""
        trained = cell.stage != "base"
        configuration = configuration_of(cell, seed, self.settings) if trained else None
        decides = {
            "version": VERSION,
            "packages": packages(),
            "prompt": PROMPT_VERSION,
            "scenes": generator_hash(),
            "cell": [cell.name, seed],
            "begins": self.model_key(by_name(cell.begins), self._seed(cell, seed)) if cell.begins else None,
            "base": content_hash(self.base),
            "data": self.settings.data.model_dump(),
            "configuration": configuration
            and configuration.model_dump(
                mode="json", exclude={"hardware", "grpo" if cell.stage == "sft" else "sft"}
            ),
        }
        return _hash(decides)

    def _is_there(self, name: str) -> bool:
        return self.data is not None and (self.data / name.rpartition("-")[0]).is_dir()

    def _left(self, todo: list[tuple[Cell, int]]) -> str:
        expected = [
            sum(took) / len(took) if (took := self._took.get(cell.stage)) else None for cell, _ in todo
        ]
        known = [one for one in expected if one is not None]
        if not known:
            return "how long it takes is not known yet"
        return f"about {duration(sum(one if one is not None else max(known) for one in expected))} left"


def _hash(decides: object) -> str:
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def prepare(folder: Path, settings: DataSettings, say: Say) -> None:
    """Samples of disjoint scenes for SFT and GRPO, rendered unless they are there."""
    made = folder / "made.json"
    wanted = json.dumps(settings.model_dump() | {"scenes": generator_hash()}, sort_keys=True)
    if made.is_file() and made.read_text(encoding="utf-8") == wanted:
        return
    made.unlink(missing_ok=True)  # what a stop leaves is neither these samples nor those before
    say(f"rendering {settings.sft_scenes + settings.grpo_scenes} scenes")
    options = ProceduralOptions(scenes=settings.sft_scenes + settings.grpo_scenes, change_share=0.0)
    write_samples(folder / "all.jsonl", ProceduralReader().read(folder, "train", options, Problems()))
    scenes: dict[str, int] = {}

    def first(sample: Sample) -> bool:
        return scenes.setdefault(sample.images[0].path, len(scenes)) < settings.sft_scenes

    write_samples(folder / "sft.jsonl", (one for one in read_samples(folder / "all.jsonl") if first(one)))
    write_samples(
        folder / "grpo.jsonl", (one for one in read_samples(folder / "all.jsonl") if not first(one))
    )
    (folder / "all.jsonl").unlink()
    made.write_text(wanted, encoding="utf-8")


def trained_of(log: Path) -> Trained:
    """Means over the first and the last quarter of a run's steps; one step's answers are few. A step that was done
    again after a kill counts once."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = {int(line["step"]): line for line in lines}

    def ends(key: str) -> tuple[float, float] | None:
        values = [float(rows[step][key]) for step in sorted(rows) if rows[step].get(key) is not None]
        quarter = max(1, len(values) // 4)
        return (fmean(values[:quarter]), fmean(values[-quarter:])) if values else None

    return Trained(
        steps=max(rows, default=0),
        loss=None if ends("reward") else ends("loss"),
        reward=ends("reward"),
        kl=ends("kl"),
        tokens=ends("completions/mean_length"),
    )
