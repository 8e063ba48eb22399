from __future__ import annotations

from pathlib import Path

import pytest

from groundproof.errors import NotFoundError, RunError
from groundproof.service.jobs.store import JobStatus, JobStore


def test_jobs_survive_a_restart_newest_first(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    first = store.create("ask", {"question": "How many?"})
    second = store.create("merge", {"job": first.job_id})
    store.update(first.job_id, status=JobStatus.RUNNING, progress=40)
    again = JobStore(tmp_path)
    assert {job.job_id for job in again.all()} == {first.job_id, second.job_id}
    kept = again.get(first.job_id)
    assert (kept.status, kept.progress, kept.inputs) == (JobStatus.RUNNING, 40, {"question": "How many?"})
    assert [job.job_id for job in again.unfinished()] == [job.job_id for job in reversed(again.all())]


def test_an_ended_job_stays_as_it_ended(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.create("ask", {})
    store.update(job.job_id, status=JobStatus.DISMISSED)
    assert store.update(job.job_id, status=JobStatus.SUCCESSFUL).status is JobStatus.DISMISSED


def test_only_an_ended_job_can_be_deleted_and_its_files_go_with_it(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.create("ask", {})
    store.events(job.job_id).append("plan", {})
    with pytest.raises(RunError, match="Cancel it first"):
        store.delete(job.job_id)
    store.update(job.job_id, status=JobStatus.FAILED)
    store.delete(job.job_id)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFoundError):
        store.get(job.job_id)


@pytest.mark.parametrize("name", ["", "..", "../jobs", "x" * 32, "ABCDEF0123456789ABCDEF0123456789"])
def test_what_cannot_be_a_jobs_name_names_no_folder(tmp_path: Path, name: str) -> None:
    store = JobStore(tmp_path)
    with pytest.raises(NotFoundError):
        store.folder(name)
    with pytest.raises(NotFoundError):
        store.events(name)


def test_jobs_that_ended_long_ago_are_forgotten_and_others_kept(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    old, new, going = (store.create("ask", {}) for _ in range(3))
    store.update(old.job_id, status=JobStatus.SUCCESSFUL, finished="2020-01-01T00:00:00.000Z")
    store.update(new.job_id, status=JobStatus.SUCCESSFUL, finished="2999-01-01T00:00:00.000Z")
    store.expire(days=30)
    assert {job.job_id for job in store.all()} == {new.job_id, going.job_id}


def test_a_damaged_job_is_named_in_a_sentence(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.create("ask", {})
    path = store.folder(job.job_id) / "job.json"
    path.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        JobStore(tmp_path)
