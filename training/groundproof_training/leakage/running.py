"""The `audit-splits` command, without its command line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from groundproof_training.errors import TrainingError
from groundproof_training.leakage.audit import Audit, AuditOptions, GroupKey, Part, audit_parts
from groundproof_training.leakage.cache import LookCache
from groundproof_training.leakage.report import part_name, table, write_html, write_json
from groundproof_training.readers.base import Problems
from groundproof_training.samples import Sample
from groundproof_training.samples.storage import read_samples

Said = Callable[[str], None]


def parts_of_file(file: Path, root: Path) -> Iterator[Part]:
    """The samples of a file by source and split. root: of their images' paths."""
    groups: defaultdict[GroupKey, list[Sample]] = defaultdict(list)
    for sample in read_samples(file):
        groups[sample.source, sample.split].append(sample)
    for (source, split), samples in groups.items():
        yield Part(source, split, root, samples)


def parts_of(sources: list[Path], data: Path | None, problems: Problems) -> Iterator[Part]:
    """Of configurations of a build, and of files of samples. Raises TrainingError."""
    for source in sources:
        if source.suffix == ".toml":
            from groundproof_training.build.composition import load_composition
            from groundproof_training.build.reading import audit_parts_of

            yield from audit_parts_of(load_composition(str(source)), data or Path(), problems)
        else:
            yield from parts_of_file(source, data or source.parent)


def write_clean(audit: Audit, file: Path) -> int:
    """Ids to drop, "dataset/split<TAB>sample id" a line; how many."""
    lines = [f"{part_name(key)}\t{one}" for key, ids in audit.to_drop().items() for one in ids]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def run_audit(
    sources: list[Path],
    data: Path | None,
    cache: Path,
    distance: int,
    correlation: float,
    report: Path | None,
    json_out: Path | None,
    clean: Path | None,
    show: Said,
    say: Said,
) -> int:
    """Pairs that train and test share. show: the result; say: progress and problems. Raises TrainingError."""
    problems = Problems()
    options = AuditOptions(max_distance=distance, min_correlation=correlation)
    with LookCache(cache) as kept:
        audit = audit_parts(parts_of(sources, data, problems), options, kept, problems, say)
    if not audit.views:
        raise TrainingError("there is no sample to audit; nothing can be said about leakage.")
    show(table(audit))
    if report is not None:
        write_html(audit, report)
    if json_out is not None:
        write_json(audit, json_out)
    if clean is not None:
        say(f"{write_clean(audit, clean):,} samples to drop: {clean}")
    for line in problems.lines():
        say(line)
    return len(audit.leaks())
