"""What a finished job gave, by the names of its process's outputs.

Knows jobs, their files and outputs' names. Refuses to know HTTP.
"""

from __future__ import annotations

import json
from typing import Any

from groundproof.outputs import read
from groundproof.service.documents import result_document
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.processes import CHANGED, DIFFERENCE, EXPORT
from groundproof.service.jobs.store import Job, JobStore
from groundproof.service.ogc.process_descriptions import DESCRIPTIONS, GEOPACKAGE

FILES = {"geopackage": (RESULT, GEOPACKAGE), "archive": (EXPORT, "application/zip")}
"""Outputs that are files: name in the job's folder, media type."""


def outputs(jobs: JobStore, job: Job, base: str) -> dict[str, Any]:
    """All outputs of a successful job. base: the service's address, for links to files.

    Objects stand in arrays and files are links, as the results schema of OGC API - Processes has it; what there
    is no value for is left out.
    """
    if job.process == "diff":
        values = json.loads((jobs.folder(job.job_id) / DIFFERENCE).read_text(encoding="utf-8"))
    elif job.process == "review-export":
        left_out = [{"reason": reason, "tiles": n} for reason, n in job.results["left_out"].items()]
        values = {**job.results, "left_out": left_out}
    else:
        values = result_document(read(jobs.folder(job.job_id) / RESULT))
        if "changed" in DESCRIPTIONS[job.process].outputs:
            values["changed"] = json.loads((jobs.folder(job.job_id) / CHANGED).read_text(encoding="utf-8"))
    for name, (file, media_type) in FILES.items():
        values[name] = {"href": f"{base}/jobs/{job.job_id}/files/{file}", "type": media_type, "title": file}
    return {name: values[name] for name in DESCRIPTIONS[job.process].outputs if values.get(name) is not None}
