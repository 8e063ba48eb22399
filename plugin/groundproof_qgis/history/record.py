"""What is kept of one run beside its GeoPackage: what was asked, of what, and how it went.

Knows its fields and their JSON. Refuses to know where records lie.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ASKING, DONE, CANCELLED, FAILED = "asking", "done", "cancelled", "failed"
INTERRUPTED = "interrupted"
"""It was asking and nobody waits any more: QGIS was closed or died. Its job may go on in the engine."""
DAMAGED = "damaged"
"""Its record cannot be read. The GeoPackage, where there is one, can."""

STATUSES = (ASKING, DONE, CANCELLED, FAILED, INTERRUPTED)

FORMAT = 1


@dataclass(frozen=True)
class RunRecord:
    """One run. asked_at: RFC 3339, UTC. gpkg: name of its GeoPackage in the same folder.

    form: what and where as the dock's form has it, for asking again; JSON-able. engine: who answered, in words. job:
    the engine's id of it, None before there is one. last_event: number of the last event that was seen. answer, value,
    coverage: as the GeoPackage has them, so that a list needs no file opened. sentence: how it ended.
    engine_at: the URL of the engine that has the job, "local" for this computer's, "" where that is not known.
    answer_due: a review was saved that the answer does not follow yet.
    """

    run_id: str
    asked_at: str
    question: str
    task: str = "auto"
    gpkg: str = ""
    form: Mapping[str, Any] = field(default_factory=dict, hash=False)
    engine: str = ""
    job: str | None = None
    last_event: int = 0
    status: str = ASKING
    answer: str = ""
    value: Any = field(default=None, hash=False)
    coverage: str = ""
    sentence: str = ""
    engine_at: str = ""
    answer_due: bool = False

    def as_json(self) -> str:
        """For a file; people may read it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """Back from a file; fields of later versions are left out. Raises ValueError for what is no record."""
        document = json.loads(text)
        try:
            record = cls(**{one.name: document[one.name] for one in fields(cls) if one.name in document})
            problem = _problem(record)
        except TypeError as err:
            raise ValueError(str(err)) from err
        if problem:
            raise ValueError(problem)
        return record


_TEXTS = ("run_id", "asked_at", "question", "task", "gpkg", "engine", "answer", "coverage", "sentence")


def _problem(record: RunRecord) -> str:
    """Why these values are no record, "" if they are."""
    for name in _TEXTS:
        if not isinstance(getattr(record, name), str):
            return f"{name} is text, got {type(getattr(record, name)).__name__}"
    if record.status not in STATUSES:
        return f"status is one of {', '.join(STATUSES)}, got {record.status!r}"
    if not isinstance(record.form, dict) or not isinstance(record.last_event, int):
        return "form is an object, last_event a number"
    if record.job is not None and not isinstance(record.job, str):
        return "job is text or null"
    if Path(record.gpkg).name != record.gpkg:
        return "gpkg names a file beside the record"
    return ""


def new_record(
    question: str, task: str, form: Mapping[str, Any], engine: str, engine_at: str = ""
) -> RunRecord:
    """The record of a run that begins now. Its id sorts by time and is a file's name."""
    now = datetime.now(timezone.utc)
    run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    return RunRecord(
        run_id,
        now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        question,
        task,
        f"{run_id}.gpkg",
        dict(form),
        engine,
        engine_at=engine_at,
    )
