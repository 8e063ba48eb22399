"""The result of a run put together on disk, beside its run directory, so that its size does not matter.

Knows the spool and the assembly. Refuses to know who asks for the result.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from groundproof.assemble import assemble_to, output_crs
from groundproof.config import MergeConfig
from groundproof.deliver import provenance
from groundproof.outputs.spool import Spool
from groundproof.run import RunDirectory
from groundproof.run_files import SPOOL


class OnDisk:
    """Makes the result of a run on disk; what it made is gone with it. A context manager.

    Raises OutputError when the disk is full or not writable.
    """

    def __init__(self, run: RunDirectory, folder: Path | None = None) -> None:
        self._run = run
        self._folder = folder or run.path / SPOOL
        self._spool: Spool | None = None

    def make(
        self,
        *,
        merge_config: MergeConfig | None = None,
        out_crs: str | None = None,
        dedupe_scenes: bool | None = None,
    ) -> Spool:
        """The result of what is answered so far, in place of an earlier one; see `assemble_to`."""
        self.close()
        crs = output_crs(self._run, out_crs)
        self._spool = spool = Spool(self._folder, crs)
        spool.metadata = assemble_to(
            self._run,
            spool,
            crs,
            metadata=provenance(self._run),
            merge_config=merge_config,
            dedupe_scenes=dedupe_scenes,
        )
        return spool

    def close(self) -> None:
        """Remove what was made."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def __enter__(self) -> OnDisk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
