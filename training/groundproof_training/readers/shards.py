"""Rows of Arrow, Parquet and JSON-lines files, and the pictures inside them.

Knows how Hugging Face `datasets` keeps rows and images. Refuses to know what a row means.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Problems
from groundproof_training.readers.sources import json_lines

SUFFIXES = (".arrow", ".parquet", ".jsonl")
_FILE_MAGIC = b"ARROW1"
"""At the start of Arrow's file format; `datasets` writes its stream format."""
_ROWS_AT_A_TIME = 16
"""Of a Parquet file; a row may hold four pictures."""


def shards_below(root: Path, pattern: str = "**/*") -> list[Path]:
    """Files of rows below a folder, by name; hidden ones and caches of `datasets` are left out."""
    found = (p for p in root.glob(pattern) if p.suffix in SUFFIXES and p.is_file())
    return sorted(p for p in found if not p.name.startswith((".", "cache-")))


def rows_of(file: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 0, and values of each row. A file that breaks off yields what came before, and that is noted."""
    if file.suffix == ".jsonl":
        yield from ((number - 1, row) for number, row in json_lines(file, problems))
        return
    number = 0
    try:
        for batch in _batches(file):
            for row in range(batch.num_rows):
                yield number, batch.slice(row, 1).to_pylist()[0]
                number += 1
    except (pa.ArrowException, OSError) as err:
        problems.add("broken file", f"{file.name}[{number}]", str(err).splitlines()[0])


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as source:
            yield from source.iter_batches(batch_size=_ROWS_AT_A_TIME)
        return
    with pa.memory_map(str(file)) as source:
        if source.read(len(_FILE_MAGIC)) == _FILE_MAGIC:
            reader = pa.ipc.open_file(source)
            yield from (reader.get_batch(n) for n in range(reader.num_record_batches))
        else:
            source.seek(0)
            yield from pa.ipc.open_stream(source)


def picture_path(root: Path, folder: str, value: Any, problems: Problems, where: str) -> str | None:
    """The path, relative to root, of a picture that a row names or holds.

    value: a path, bytes, or the `{"bytes", "path"}` of `datasets`. Bytes are written to root/folder under the hash of
    their content, once. None, and a problem noted, where it is none of these or no picture. Raises TrainingError where
    the folder cannot be written to.
    """
    content, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, value)
    if isinstance(content, bytes | bytearray):
        return _written(root, folder, bytes(content), problems, where)
    if isinstance(path, str) and path:
        return path
    problems.add("no image", where, f"neither a path nor the bytes of a picture: {type(value).__name__}")
    return None


def _written(root: Path, folder: str, content: bytes, problems: Problems, where: str) -> str | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            suffix = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}.get(
                image.format or "", ""
            )
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as err:
        problems.add("broken image", where, str(err).splitlines()[0][:120])
        return None
    if not suffix:
        problems.add("broken image", where, f"a picture of the kind {image.format} is not taken")
        return None
    name = hashlib.sha256(content).hexdigest()[:32] + suffix
    path = f"{folder}/{name[:2]}/{name}"
    target = root / path
    if not target.is_file():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            part.write_bytes(content)
            part.replace(target)
        except OSError as err:
            raise TrainingError(
                f"pictures inside the shards have to be written to {root / folder}, and that failed: {err}. Copy the "
                "dataset to where you may write, or name another folder with the option `pictures`."
            ) from err
    return path
