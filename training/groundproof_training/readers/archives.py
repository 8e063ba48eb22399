"""A zip in place of a folder: unpacked beside itself once. Refuses members that would lie anywhere else."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from groundproof_training.errors import TrainingError

MOST_BYTES = 500 * 2**30
"""Of everything inside: a larger sum is no dataset but a bomb."""


def unpacked(place: Path) -> Path:
    """The folder itself, or the folder of the same name that a zip's content lies in now.

    Raises TrainingError for a zip that is broken, too large, or names a place outside.
    """
    if place.suffix.lower() != ".zip" or not place.is_file():
        return place
    target = place.with_suffix("")
    if target.is_dir():
        if (target / ".unpacked").is_file() and (target / ".unpacked").read_text() == _stamp(place):
            return target
        raise TrainingError(
            f"{place} would be unpacked to {target}, which exists and is not what is in it. Move one of the two, or "
            "give the folder."
        )
    part = place.with_name(f".{place.stem}.unpacking")
    shutil.rmtree(part, ignore_errors=True)
    try:
        with ZipFile(place) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if sum(m.file_size for m in members) > MOST_BYTES:
                raise TrainingError(
                    f"{place} unpacks to more than {MOST_BYTES // 2**30} GiB; unpack it by hand."
                )
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                    raise TrainingError(f"{place} names {member.filename!r}, which lies outside of it.")
                file = part.joinpath(*path.parts)
                file.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, file.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
        part.mkdir(exist_ok=True)
        (part / ".unpacked").write_text(_stamp(place))
        part.rename(target)
    except (BadZipFile, OSError, NotImplementedError, RuntimeError) as err:
        raise TrainingError(f"{place} cannot be unpacked: {err}") from err
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _stamp(place: Path) -> str:
    facts = place.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"
