"""The processes beside "ask": audit, merge, diff, review-export, import. They need no model.

Knows how a job's inputs name earlier jobs and which functions of the engine do the work. Refuses to know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from groundproof.audit import reaudit
from groundproof.deliver import failures, merge_run
from groundproof.diff import diff, format_diff
from groundproof.errors import NotReadyError, StoppedError
from groundproof.outputs import jsontext, read, write
from groundproof.review_export import export
from groundproof.run_files import writing
from groundproof.service.documents import row_documents
from groundproof.service.jobs import importing
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.importing import ImportInputs
from groundproof.service.jobs.process_inputs import AuditInputs, DiffInputs, MergeInputs, ReviewExportInputs
from groundproof.service.jobs.reviews import changed_rows, with_review
from groundproof.service.jobs.store import JobStatus, JobStore
from groundproof.service.jobs.worker import Process, Work
from groundproof.tables import Result

CHANGED = "changed.json"
"""Name of the file with the rows that an audit or import changed, in its job's folder."""

DIFFERENCE = "difference.json"
"""Name of a diff's file in its job's folder."""

EXPORT = "export.zip"
"""Name of a review-export's file in its job's folder."""


def processes(jobs: JobStore, locate: Callable[[str], str]) -> dict[str, Process]:
    """The process functions by name. locate: what may be opened for a scene's path; see `export`."""
    functions: dict[str, Callable[[JobStore, Work], dict[str, Any]]] = {
        "audit": _audit,
        "merge": _merge,
        "diff": _diff,
        "review-export": partial(_review_export, locate),
        "import": _import,
    }

    def bound(function: Callable[[JobStore, Work], dict[str, Any]]) -> Process:
        return lambda work: function(jobs, work)

    return {name: bound(function) for name, function in functions.items()}


def check(jobs: JobStore, inputs: object) -> None:
    """Raise now for what would fail in the queue.

    NotFoundError, NotReadyError for a job that inputs name; UsageError for tables that do not fit together.
    """
    match inputs:
        case AuditInputs() | ReviewExportInputs():
            result_file(jobs, inputs.job)
        case DiffInputs():
            result_file(jobs, inputs.a)
            result_file(jobs, inputs.b)
        case MergeInputs():
            _run_directory(jobs, inputs.job)
        case ImportInputs():
            importing.check(inputs)


def result_file(jobs: JobStore, job_id: str) -> Path:
    """The GeoPackage a job gave. Raises NotFoundError, NotReadyError."""
    job = jobs.get(job_id)
    path = jobs.folder(job_id) / RESULT
    if job.status is not JobStatus.SUCCESSFUL or not path.exists():
        raise NotReadyError(
            f"The job {job_id} has no result to work on: it is a {job.process} and {job.status}. Name an ask, a "
            "merge, an import or an audit that was successful."
        )
    return path


def _audit(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = AuditInputs.model_validate(jobs.inputs(work.job.job_id))
    before = read(result_file(jobs, inputs.job))
    result = reaudit(with_review(before, inputs.review, inputs.added))
    return _kept(jobs, work, result, before)


def _import(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = ImportInputs.model_validate(jobs.inputs(work.job.job_id))
    before, result = importing.result_of(inputs)
    return _kept(jobs, work, result, before)


def _merge(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = MergeInputs.model_validate(work.job.inputs)
    directory = _run_directory(jobs, inputs.job)
    _, result = merge_run(directory, iou=inputs.iou, ios=inputs.ios, out_crs=inputs.out_crs)
    return _kept(jobs, work, result)


def _diff(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = DiffInputs.model_validate(work.job.inputs)
    found = diff(read(result_file(jobs, inputs.a)), read(result_file(jobs, inputs.b)))
    document = {**found.as_dict(), "text": format_diff(found)}
    _write_json(jobs.folder(work.job.job_id) / DIFFERENCE, document)
    return {"is_empty": found.is_empty}


def _review_export(locate: Callable[[str], str], jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = ReviewExportInputs.model_validate(jobs.inputs(work.job.job_id))
    result = with_review(read(result_file(jobs, inputs.job)), inputs.review, inputs.added)
    _go_on(work)
    made = export(
        result,
        jobs.folder(work.job.job_id) / EXPORT,
        inputs.format,
        include_unchecked=inputs.include_unchecked,
        locate=locate,
    )
    return made.as_dict()


def _kept(jobs: JobStore, work: Work, result: Result, before: Result | None = None) -> dict[str, Any]:
    """Write a new result into the job's folder; its small values. before: what a client knows of it."""
    _go_on(work)
    folder = jobs.folder(work.job.job_id)
    if before is not None:
        changed = row_documents(result, changed_rows(before.evidence, result.evidence))
        _write_json(folder / CHANGED, changed)
    write(result, folder / RESULT)
    return {
        "answers": list(result.answers.answer),
        "evidence_total": len(result.evidence),
        "failures": failures(result),
    }


def _run_directory(jobs: JobStore, job_id: str) -> Path:
    job = jobs.get(job_id)
    path = jobs.run_directory(job_id)
    if job.process != "ask":
        raise NotReadyError(f"The job {job_id} is a {job.process}. Only an ask can be merged again.")
    if not job.ended or not (path / "run.toml").exists():
        raise NotReadyError(
            f"The job {job_id} has no answers to merge: it is {job.status}. Wait for it, or cancel it to merge "
            "what was answered."
        )
    return path


def _write_json(path: Path, document: Any) -> None:
    with writing(path):
        path.write_text(jsontext.dumps(document), encoding="utf-8")


def _go_on(work: Work) -> None:
    if work.stop.is_set():
        raise StoppedError("The job was cancelled before its result was written.")
