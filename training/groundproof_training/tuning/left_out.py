"""Samples that were not trained on, and why: counted here, each named in a file that all processes append to.

Knows kinds and sentences. Refuses to decide what is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from groundproof_training.readers.base import Problems


@dataclass(slots=True)
class LeftOut:
    """path: one JSON object a line, `kind`, `where`, `why`; None keeps nothing."""

    path: Path | None = None
    problems: Problems = field(default_factory=Problems)

    def add(self, kind: str, where: str, why: str) -> None:
        """Count, and write a line (short lines appended at once do not mix)."""
        self.problems.add(kind, where, why)
        if self.path is not None:
            line = json.dumps({"kind": kind, "where": where, "why": why}, ensure_ascii=False)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def counted(self) -> Counter[str]:
        """By kind, of every process that writes to the file; a sample counts once however often it was met."""
        if self.path is None or not self.path.exists():
            return Counter(self.problems.counts)
        seen = set()
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # a line cut by a kill
                continue
            seen.add((entry["kind"], entry["where"]))
        return Counter(kind for kind, _ in seen)
