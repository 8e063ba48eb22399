"""A request that comes twice: the same `Idempotency-Key` within a day is the same job.

Knows keys and what makes two requests the same. Refuses to know queues and what a job does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from groundproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from groundproof.service.jobs.store import Job

REMEMBERED = timedelta(days=1)
"""How long a key names its job."""

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Once:
    """What a client calls its request, and a digest of what it asks, so that a key used for two is caught."""

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, request: Mapping[str, Any], image: bytes = b"") -> Once:
        """request: JSON-able. image: a digest of what is sent along."""
        text = json.dumps(request, sort_keys=True, ensure_ascii=False)
        return cls(key, hashlib.blake2b(text.encode() + image, digest_size=16).hexdigest())

    def among(self, jobs: Iterable[Job]) -> Job | None:
        """The job that this very request made before, if any. Raises UsageError where it was another request."""
        oldest = datetime.now(UTC) - REMEMBERED
        for job in jobs:
            if job.once != self.key or datetime.fromisoformat(job.created) < oldest:
                continue
            if job.once_digest != self.digest:
                raise UsageError(
                    f"The Idempotency-Key {self.key[:60]!r} was sent before with another question. Send a new key "
                    "with each new question."
                )
            return job
        return None
