"""The build itself: read, audit, drop, rationales, write, audit again, data card. Each stage is a file, so that a build
that was stopped goes on.

Knows the order of stages. Refuses to know formats and rules.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from groundproof_training.build.card import BuildFacts, RowFacts, write_card
from groundproof_training.build.composition import Composition, Row
from groundproof_training.build.reading import card_of, folder_of, options_of, read_row, split_of
from groundproof_training.errors import TrainingError
from groundproof_training.leakage.audit import Audit, AuditOptions, Part, audit_parts
from groundproof_training.leakage.cache import LookCache
from groundproof_training.leakage.report import write_html, write_json
from groundproof_training.progress import Progress
from groundproof_training.rationales.running import Wanted, profile_of, run
from groundproof_training.readers.base import Problems
from groundproof_training.samples import Form, Sample, Split, seen_size
from groundproof_training.samples.llamafactory import to_messages, write_messages
from groundproof_training.samples.pictures import Pictures
from groundproof_training.samples.storage import read_jsonl, write_jsonl, write_parquet

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """skip_missing: build without the rows whose folder is not there, and say so. rationales: for `rationales`; its
    `samples`, `out` and `data` are given here. formats: beside JSONL, of "parquet" and "llamafactory". cache: of the
    audit's hashes; None: in the output folder."""

    skip_missing: bool = False
    rationales: dict[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ("parquet", "llamafactory")
    cache: Path | None = None
    audit: AuditOptions = field(default_factory=AuditOptions)


def build(composition: Composition, data: Path, out: Path, options: BuildOptions, say: Said) -> list[str]:
    """Write OUT/train.jsonl, val.jsonl, rl.jsonl, their other formats, the audit and README.md; lines for people.

    Raises TrainingError; what was finished is kept, and the same command goes on.
    """
    profile_of(options.rationales.get("profile", "rsthinker"))
    rows = _present(composition, data, skip=options.skip_missing)
    problems = Problems()
    try:
        stages = out / "stages"
        facts = {row.name: _read(row, composition, data, stages, problems, say) for row in rows}
        cache = options.cache or stages / "looks.sqlite"
        audit = _audited(rows, data, stages, cache, options, problems, say)
        write_json(audit, out / "audit.json")
        write_html(audit, out / "audit.html")
        dropped = {one for ids in audit.to_drop().values() for one in ids}
        dropped |= _unread(audit)
        for row in rows:
            facts[row.name].dropped = sum(s.sample_id in dropped for s in read_jsonl(_stage(stages, row)))
        lines = _with_rationales(rows, data, stages, dropped, options, say)
        files = _write(rows, data, out, stages, dropped)
        for file in files:
            _other_formats(file, options, problems)
        after = _audited_again(rows, data, out, stages, cache, options, files, say)
        left = after.left_between_splits(()) + len(after.unread)
        write_card(
            out / "README.md",
            BuildFacts(
                composition,
                list(facts.values()),
                _missing(composition, rows),
                audit,
                after,
                left,
                files,
                problems,
                lines,
            ),
        )
    except OSError as err:
        raise TrainingError(
            f"{out} cannot be written: {err.strerror or err}. The same command goes on."
        ) from err
    if left:
        raise TrainingError(
            f"What was written still has {left} pictures in two splits, or unreadable; see {out / 'README.md'}. This "
            "is a fault of ours."
        )
    counts = ", ".join(f"{name} {number:,}" for name, number in files.items_by_name())
    return [
        f"{counts} samples; {len(dropped):,} dropped as leaks; no picture is left in two splits",
        *lines,
        *problems.lines(),
    ]


def _present(composition: Composition, data: Path, *, skip: bool) -> list[Row]:
    missing = [row for row in composition.rows if folder_of(row, data) is None]
    for row in composition.rows:
        card_of(row)
        options_of(row)
    present = [row for row in composition.rows if row not in missing]
    if missing and not skip:
        names = ", ".join(row.name for row in missing)
        raise TrainingError(f"These rows have no folder below {data}: {names}. --dry-run says where to get them, "
                            "--skip-missing builds without them.")  # fmt: skip
    if not any(row.use != "audit" for row in present):
        raise TrainingError(
            f"No dataset of this composition lies below {data}; --dry-run says what is expected there."
        )
    return present


def _missing(composition: Composition, rows: list[Row]) -> list[Row]:
    return [row for row in composition.rows if row not in rows]


def _stage(stages: Path, row: Row) -> Path:
    return stages / f"{row.name}.jsonl"


def _read(
    row: Row, composition: Composition, data: Path, stages: Path, problems: Problems, say: Said
) -> RowFacts:
    """A row's samples as a stage file; one that is whole and of the same row is not read again."""
    target = _stage(stages, row)
    note = target.with_suffix(".row.json")
    identity = f"{row.model_dump_json()}|{composition.val_share}|{composition.seed}|{data.absolute()}"
    mine = _noted(note, identity) if target.is_file() else None
    if mine is None:
        say(f"reading {row.name}")
        mine = Problems()
        progress = Progress(say, f"samples of {row.name}")
        write_jsonl(target, _split(row, composition, data, mine, progress), identity=identity)
        kept = {"identity": identity, "counts": mine.counts, "examples": mine.examples}
        note.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    for kind, number in mine.counts.items():
        problems.counts[kind] += number
        problems.examples[kind] += [f"{row.name}: {example}" for example in mine.examples[kind]][:1]
    tasks, images = Counter[str](), set[str]()
    for sample in read_jsonl(target):
        tasks[str(sample.task)] += 1
        images.update(f"{image.path} {image.window}" for image in sample.images)
    return RowFacts(row, card_of(row), tasks, len(images), dict(mine.counts))


def _split(
    row: Row, composition: Composition, data: Path, problems: Problems, progress: Progress
) -> Iterator[Sample]:
    for sample in read_row(row, data, problems):
        progress.step()
        split = "test" if row.use == "audit" else split_of(sample, composition, row.origin)
        yield sample.model_copy(update={"split": split})


def _noted(note: Path, identity: str) -> Problems | None:
    """What was left out when the stage file was written; None where it is of another row, or not whole."""
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if kept.get("identity") != identity:
        return None
    problems = Problems()
    problems.counts.update(kept["counts"])
    problems.examples.update(kept["examples"])
    return problems


def _audited(
    rows: list[Row],
    data: Path,
    stages: Path,
    cache: Path,
    options: BuildOptions,
    problems: Problems,
    say: Said,
) -> Audit:
    with LookCache(cache) as kept:
        return audit_parts(_parts(rows, data, stages), options.audit, kept, problems, say)


def _parts(rows: Iterable[Row], data: Path, stages: Path) -> Iterator[Part]:
    for row in rows:
        origin = (row.origin.family, row.origin.pattern) if row.origin else None
        for split in ("test",) if row.use == "audit" else ("train", "val"):
            samples = (sample for sample in read_jsonl(_stage(stages, row)) if sample.split == split)
            yield Part(row.name, split, data, samples, origin)


def _unread(audit: Audit) -> set[str]:
    """Samples whose picture could not be looked at: nobody can say that they do not leak."""
    return {one for n in audit.unread for ids in audit.views[n].samples.values() for one in ids}


def _clean(rows: Iterable[Row], stages: Path, dropped: set[str]) -> Iterator[Sample]:
    for row in rows:
        yield from (sample for sample in read_jsonl(_stage(stages, row)) if sample.sample_id not in dropped)


def _with_rationales(
    rows: list[Row], data: Path, stages: Path, dropped: set[str], options: BuildOptions, say: Said
) -> list[str]:
    clean = stages / "clean.jsonl"
    sft = [row for row in rows if row.use == "sft"]
    if not sft:
        return []
    write_jsonl(clean, _clean(sft, stages, dropped))
    say("writing rationales")
    wanted = Wanted(samples=clean, out=stages / "cot.jsonl", data=data, **options.rationales)
    return run(wanted, say)


class Files(dict[Path, int]):
    """What was written, with the number of samples."""

    def items_by_name(self) -> list[tuple[str, int]]:
        """(name without ending, number)."""
        return [(path.stem, number) for path, number in self.items()]


def _write(rows: list[Row], data: Path, out: Path, stages: Path, dropped: set[str]) -> Files:
    """Images' paths become relative to the file's own folder, which is where every command looks for them."""
    files = Files()
    below = Path(os.path.relpath(data.resolve(), out.resolve())).as_posix()

    def add(name: str, samples: Iterable[Sample], split: Split) -> None:
        mine = (_moved(sample, below) for sample in samples if sample.split == split)
        files[out / name] = write_jsonl(out / name, mine)

    if any(row.use == "sft" for row in rows):
        add("train.jsonl", read_jsonl(stages / "cot.jsonl"), "train")
        add("val.jsonl", read_jsonl(stages / "cot.jsonl"), "val")
    if rl := [row for row in rows if row.use == "rl"]:
        add("rl.jsonl", _clean(rl, stages, dropped), "train")
        add("rl-val.jsonl", _clean(rl, stages, dropped), "val")
    return files


def _moved(sample: Sample, below: str) -> Sample:
    images = tuple(image.model_copy(update={"path": f"{below}/{image.path}"}) for image in sample.images)
    return sample.model_copy(update={"images": images})


def _other_formats(file: Path, options: BuildOptions, problems: Problems) -> None:
    if "parquet" in options.formats:
        write_parquet(file.with_suffix(".parquet"), read_jsonl(file))
    if "llamafactory" not in options.formats:
        return
    target = file.with_suffix(".json")
    profile, pictures = (
        profile_of(options.rationales.get("profile", "rsthinker")),
        Pictures(file.parent, target),
    )

    def conversations() -> Iterator[dict[str, Any]]:
        for sample in read_jsonl(file):
            seen = tuple(seen_size(i.shown_size, profile, 3_136, 1_003_520) for i in sample.images)
            form = Form.GEO_COT if sample.rationale else Form.ANSWER
            try:
                yield to_messages(sample, profile, seen, form, [pictures.path_of(i) for i in sample.images])
            except ValueError as err:
                problems.add("not writable", sample.sample_id, str(err).splitlines()[0])

    write_messages(target, conversations())


def _audited_again(
    rows: list[Row],
    data: Path,
    out: Path,
    stages: Path,
    cache: Path,
    options: BuildOptions,
    files: Iterable[Path],
    say: Said,
) -> Audit:
    """The proof: what was written, read back from its files, against itself and the test sets. Nothing of what the
    first audit decided is taken over, but the looks at the pictures."""
    origins = {row.name: (row.origin.family, row.origin.pattern) if row.origin else None for row in rows}

    def parts() -> Iterator[Part]:
        for file in files:
            # Samples of one row follow each other.
            for name, samples in groupby(read_jsonl(file), key=lambda s: s.sample_id.partition("/")[0]):
                split: Split = "val" if file.stem.endswith("val") else "train"
                yield Part(name, split, out, samples, origins[name])
        yield from _parts((row for row in rows if row.use == "audit"), data, stages)

    say("auditing what was written")
    with LookCache(cache) as kept:
        return audit_parts(parts(), options.audit, kept, Problems(), say)
