"""Samples in files: JSON lines, which grow and can be gone on with, and Parquet. What is read back is what was written.

Knows the two formats. Refuses to know readers and models.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from groundproof_training.errors import TrainingError
from groundproof_training.samples.types import Sample

ROWS_AT_ONCE = 2_000
"""Rows of a Parquet group, and lines after which a JSONL file is flushed."""

_WORDS = pa.map_(pa.string(), pa.string())
_BOX = pa.struct(
    [
        ("label", pa.string()), ("x0", pa.float64()), ("y0", pa.float64()), ("x1", pa.float64()), ("y1", pa.float64()),
        ("quad", pa.list_(pa.float64())), ("image", pa.int32()), ("ignore", pa.bool_()), ("truncated", pa.bool_()),
        ("phrase", pa.string()), ("attributes", _WORDS),
    ]
)  # fmt: skip
_IMAGE = pa.struct(
    [
        ("path", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("sha256", pa.string()),
        ("window", pa.list_(pa.int32())), ("date", pa.string()),
    ]
)  # fmt: skip
_RATIONALE = pa.struct(
    [
        ("plan", pa.string()),
        ("evidence", pa.list_(pa.struct([("text", pa.string()), ("box", pa.int32())]))),
        ("synthesis", pa.string()), ("by", pa.string()), ("absent", pa.string()),
    ]
)  # fmt: skip
_TEXTS = pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()), ("source", pa.string()), ("split", pa.string()), ("licence", pa.string()),
        ("task", pa.string()), ("images", pa.list_(_IMAGE)), ("question", pa.string()), ("answer", pa.string()),
        ("answers", _TEXTS), ("asked", _TEXTS), ("choices", _TEXTS), ("boxes", pa.list_(_BOX)),
        ("regions", pa.list_(_BOX)), ("captions", _TEXTS), ("complete", pa.bool_()), ("meta", _WORDS),
        ("rationale", _RATIONALE),
    ]
)  # fmt: skip
"""Of a Parquet file: the fields of `Sample` by name; lists are lists, words by name are maps."""


def read_samples(path: Path) -> Iterator[Sample]:
    """The samples of a `.jsonl` or `.parquet` file, lazily. Raises TrainingError for what is neither, or broken."""
    if path.suffix == ".parquet":
        return read_parquet(path)
    if path.suffix in (".jsonl", ".part"):
        return read_jsonl(path)
    raise TrainingError(f"{path} is no file of samples; its name ends in .jsonl or .parquet")


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Whole or not at all, in the format of the name's ending; how many."""
    if path.suffix == ".parquet":
        return write_parquet(path, samples)
    if path.suffix == ".jsonl":
        return write_jsonl(path, samples)
    raise TrainingError(f"{path} has no format of samples; let its name end in .jsonl or .parquet")


def read_jsonl(path: Path) -> Iterator[Sample]:
    """One sample a line. Raises TrainingError, naming the line, for one that is none."""
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            try:
                yield Sample.model_validate_json(line)
            except ValidationError as err:
                first = err.errors()[0]
                at = ".".join(map(str, first["loc"])) or "the line"
                raise TrainingError(f"{path}, line {number} is no sample: {at}: {first['msg']}") from err


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as err:
        raise TrainingError(f"{path} cannot be read: {err}") from err


def write_jsonl(path: Path, samples: Iterable[Sample], *, identity: str | None = None) -> int:
    """One sample a line; how many the file holds.

    The file grows as PATH.part and gets its name when it is whole. identity: says what is being written; where a run
    of the same identity was stopped, the lines it wrote are kept and the samples with their ids passed over. None:
    always from the beginning. Raises OSError; what was written until then is kept.
    """
    part, note = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    known = set[str]()
    if (
        identity is not None
        and part.is_file()
        and note.is_file()
        and note.read_text(encoding="utf-8") == identity
    ):
        known = _mend(part)
    else:
        part.unlink(missing_ok=True)
        if identity is not None:
            note.write_text(identity, encoding="utf-8")
    written = len(known)
    with part.open("a", encoding="utf-8") as file:
        for sample in samples:
            if sample.sample_id in known:
                continue
            file.write(f"{sample.model_dump_json()}\n")
            written += 1
            if written % ROWS_AT_ONCE == 0:
                file.flush()
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    note.unlink(missing_ok=True)
    return written


def _mend(part: Path) -> set[str]:
    """Ids of a file's whole lines; a last line that a kill cut short is cut off."""
    ids, end = set[str](), 0
    with part.open("rb") as file:
        for line in file:
            try:
                ids.add(json.loads(line)["sample_id"])
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            end += len(line)
        else:
            return ids
    with part.open("rb+") as file:
        file.truncate(end)
    return {json.loads(line)["sample_id"] for line in part.read_bytes().splitlines()}


def write_parquet(path: Path, samples: Iterable[Sample]) -> int:
    """Whole or not at all; how many. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, written = path.with_name(f"{path.name}.part"), 0
    rows = iter(samples)
    try:
        with pq.ParquetWriter(part, SCHEMA, compression="zstd") as file:
            while group := list(islice(rows, ROWS_AT_ONCE)):
                file.write_table(pa.Table.from_pylist([_row(sample) for sample in group], schema=SCHEMA))
                written += len(group)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written


def _row(sample: Sample) -> dict[str, Any]:
    row = sample.model_dump(mode="json")
    row["meta"] = list(row["meta"].items())
    for box in (*row["boxes"], *row["regions"]):
        box["attributes"] = list(box["attributes"].items())
    return row


def read_parquet(path: Path) -> Iterator[Sample]:
    """Row by row. Raises TrainingError for what is no table of samples."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as err:
        raise TrainingError(f"{path} cannot be read as Parquet: {err}") from err
    with file:
        number = 0
        for batch in file.iter_batches(ROWS_AT_ONCE):
            for row in batch.to_pylist(maps_as_pydicts="strict"):
                number += 1
                try:
                    yield Sample.model_validate(row)
                except ValidationError as err:
                    first = err.errors()[0]
                    at = ".".join(map(str, first["loc"]))
                    raise TrainingError(f"{path}, row {number} is no sample: {at}: {first['msg']}") from err
