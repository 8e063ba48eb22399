"""What exactly answers: a hash over the files of a checkpoint that decide its answers.

Knows file names and bytes. Refuses to know what they mean.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

DECIDING_FILES = (
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
)
"""Beside all *.safetensors; everything else in a folder (logs, readme, optimiser state) decides nothing."""

HASH_HEX = 12

_digests: dict[tuple[str, int, int], str] = {}
"""(path, size, mtime in ns) -> hex digest, so that 18 GB are read once per process."""


def content_hash(folder: Path) -> str:
    """First `HASH_HEX` digits of a SHA-256 over names and contents; moves with the files, not with the path.

    Raises: OSError when a file cannot be read.
    """
    files = sorted([folder / name for name in DECIDING_FILES if (folder / name).is_file()])
    files += sorted(folder.glob("*.safetensors"))
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name}\0{_digest(path)}\n".encode())
    return total.hexdigest()[:HASH_HEX]


def _digest(path: Path) -> str:
    stat = path.stat()
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    if key not in _digests:
        with path.open("rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]
