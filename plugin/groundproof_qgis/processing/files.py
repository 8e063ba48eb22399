"""Where an algorithm's GeoPackage goes: the place Processing chose, kept whole until the new file is there.

Knows files. Refuses to know what is in them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qgis.core import QgsProcessingException

from groundproof_qgis.i18n_text import tr

SUFFIX = ".gpkg"


def target_of(destination: str) -> Path:
    """The file behind a destination. Raises QgsProcessingException for one that cannot hold a result."""
    path = Path(destination)
    if path.suffix.lower() != SUFFIX:
        raise QgsProcessingException(
            tr(
                "{path} cannot hold the result: it is a GeoPackage. Choose a file that ends with .gpkg."
            ).format(path=destination)
        )
    try:
        tempfile.TemporaryDirectory(prefix=".groundproof-", dir=path.parent).cleanup()
    except OSError as err:
        raise QgsProcessingException(
            tr("Nothing can be written to the folder {path}: {reason}. Choose another place.").format(
                path=path.parent, reason=err.strerror or err
            )
        ) from err
    if path.with_name(path.name + "-wal").exists():
        raise QgsProcessingException(
            tr("{path} is open in a program. Close it there, or choose another file.").format(path=path)
        )
    return path


@contextmanager
def room_for(target: Path) -> Iterator[None]:
    """Inside, the target is free; an earlier file of that name comes back unless a new one was written."""
    earlier = target.with_name(f".{target.stem}.earlier{target.suffix}")
    if target.exists():
        target.replace(earlier)
    try:
        yield
    finally:
        if earlier.exists():
            if target.exists():
                earlier.unlink()
            else:
                earlier.replace(target)
