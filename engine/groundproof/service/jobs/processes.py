"""The processes beside "ask": audit, merge, diff, review-export. They need no model.

Knows how a job's inputs name earlier jobs and which functions of the engine do the work. Refuses to know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundproof.audit import reaudit
from groundproof.deliver import failures, merge_run
from groundproof.diff import diff, format_diff
from groundproof.errors import NotFoundError, NotReadyError, StoppedError
from groundproof.outputs import jsontext, read, write
from groundproof.review_export import export
from groundproof.run import writing
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.process_inputs import AuditInputs, DiffInputs, MergeInputs, ReviewExportInputs
from groundproof.service.jobs.store import JobStatus, JobStore, timestamp
from groundproof.service.jobs.worker import Process, Work
from groundproof.tables import Result

DIFFERENCE = "difference.json"
"""Name of a diff's file in its job's folder."""

EXPORT = "export.zip"
"""Name of a review-export's file in its job's folder."""


def processes(jobs: JobStore) -> dict[str, Process]:
    """The process functions by name."""
    functions: dict[str, Callable[[JobStore, Work], dict[str, Any]]] = {
        "audit": _audit,
        "merge": _merge,
        "diff": _diff,
        "review-export": _review_export,
    }

    def bound(function: Callable[[JobStore, Work], dict[str, Any]]) -> Process:
        return lambda work: function(jobs, work)

    return {name: bound(function) for name, function in functions.items()}


def check(jobs: JobStore, inputs: object) -> None:
    """Raise now for what would fail in the queue: NotFoundError, NotReadyError for a job inputs name."""
    match inputs:
        case AuditInputs() | ReviewExportInputs():
            result_file(jobs, inputs.job)
        case DiffInputs():
            result_file(jobs, inputs.a)
            result_file(jobs, inputs.b)
        case MergeInputs():
            _run_directory(jobs, inputs.job)


def result_file(jobs: JobStore, job_id: str) -> Path:
    """The GeoPackage a job gave. Raises NotFoundError, NotReadyError."""
    job = jobs.get(job_id)
    path = jobs.folder(job_id) / RESULT
    if job.status is not JobStatus.SUCCESSFUL or not path.exists():
        raise NotReadyError(
            f"The job {job_id} has no result to work on: it is a {job.process} and {job.status}. Name an ask, a "
            "merge or an audit that was successful."
        )
    return path


def with_review(result: Result, review: Mapping[str, str]) -> Result:
    """The result with an analyst's decisions written into its evidence.

    review: "accepted" or "rejected" by E-number, or by ANSWER:E-number. Raises NotFoundError for evidence the
    result does not have, and for a bare E-number that several answers have.
    """
    if not review:
        return result
    evidence = result.evidence.copy()
    evidence[["review", "reviewed_at"]] = evidence[["review", "reviewed_at"]].astype(object)
    now = timestamp()
    for name, decision in review.items():
        answer_id, _, evidence_id = name.rpartition(":")
        rows = evidence["evidence_id"] == evidence_id
        if answer_id:
            rows &= evidence["answer_id"] == answer_id
        if not rows.any():
            raise NotFoundError(f"The result has no evidence {name}; it has {len(evidence)} boxes.")
        if rows.sum() > 1:
            answers = ", ".join(f"{one}:{evidence_id}" for one in evidence.loc[rows, "answer_id"].head(10))
            raise NotFoundError(f"{len(rows[rows])} answers have evidence {name}. Say which: {answers}.")
        evidence.loc[rows, "review"] = decision
        evidence.loc[rows, "reviewed_at"] = now
    return replace(result, evidence=evidence)


def _audit(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = AuditInputs.model_validate(work.job.inputs)
    result = reaudit(with_review(read(result_file(jobs, inputs.job)), inputs.review))
    return _kept(jobs, work, result)


def _merge(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = MergeInputs.model_validate(work.job.inputs)
    directory = _run_directory(jobs, inputs.job)
    _, result = merge_run(directory, iou=inputs.iou, ios=inputs.ios, out_crs=inputs.out_crs)
    return _kept(jobs, work, result)


def _diff(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = DiffInputs.model_validate(work.job.inputs)
    found = diff(read(result_file(jobs, inputs.a)), read(result_file(jobs, inputs.b)))
    path = jobs.folder(work.job.job_id) / DIFFERENCE
    with writing(path):
        path.write_text(jsontext.dumps({**found.as_dict(), "text": format_diff(found)}), encoding="utf-8")
    return {"is_empty": found.is_empty}


def _review_export(jobs: JobStore, work: Work) -> dict[str, Any]:
    inputs = ReviewExportInputs.model_validate(work.job.inputs)
    result = with_review(read(result_file(jobs, inputs.job)), inputs.review)
    _go_on(work)
    made = export(
        result,
        jobs.folder(work.job.job_id) / EXPORT,
        inputs.format,
        include_unchecked=inputs.include_unchecked,
    )
    return made.as_dict()


def _kept(jobs: JobStore, work: Work, result: Result) -> dict[str, Any]:
    """Write a new result into the job's folder; its small values."""
    _go_on(work)
    write(result, jobs.folder(work.job.job_id) / RESULT)
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


def _go_on(work: Work) -> None:
    if work.stop.is_set():
        raise StoppedError("The job was cancelled before its result was written.")
