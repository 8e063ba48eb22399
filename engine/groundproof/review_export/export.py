"""One export from beginning to end: truth, pictures, a format, and where it came from.

Knows folders and zip files. Refuses to know formats' insides.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pydantic import ValidationError

from groundproof.audit import reaudit
from groundproof.errors import OutputError, UsageError
from groundproof.frames import named_rows
from groundproof.models.profile import Profile
from groundproof.outputs.files import explain, replacing
from groundproof.review_export import formats
from groundproof.review_export.formats import Put
from groundproof.review_export.pixels import TilePicture, pictures
from groundproof.review_export.truth import MIN_PART_PX, TruthTile, distinct_labels, truth
from groundproof.tables import Result
from groundproof.version import __version__

PROVENANCE = "provenance.json"
SAME_PIXELS = "tiles with the very pixels of another"


class ExportFormat(StrEnum):
    """Formats of training data."""

    GEO_COT = "geo-cot"
    COCO = "coco"
    YOLO = "yolo"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. examples: conversations (geo-cot) or images. boxes: true boxes in the tiles taken.

    left_out: tiles that were not taken, by reason.
    """

    format: ExportFormat
    examples: int
    boxes: int
    labels: tuple[str, ...]
    left_out: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "format": str(self.format), "labels": list(self.labels)}

    def sentence(self) -> str:
        """For people."""
        noun = "conversations" if self.format is ExportFormat.GEO_COT else "images"
        said = f"{self.examples} {noun} with {self.boxes} boxes ({', '.join(self.labels) or 'no objects'})."
        why = "; ".join(f"{number} {reason}" for reason, number in self.left_out.items())
        return f"{said} Left out: {why}." if why else said


def export(
    result: Result,
    target: Path,
    form: ExportFormat,
    *,
    include_unchecked: bool = False,
    locate: Callable[[str], str] = str,
) -> Exported:
    """Write a reviewed result as training data into `target`, whole or not at all.

    target: a .zip file (replaced when it exists), or a folder that does not exist yet. The tiles are read
    again from the scenes. `provenance.json` says where everything came from. locate: what may be opened for a
    scene's path (the path itself); raises where that is nothing.

    Raises:
        UsageError: nothing in the result was reviewed; or, for geo-cot, no question was about boxes, or the
            result does not say which model's notation to write.
        OutputError: the target cannot be written.
        SceneError: a scene's pixels are gone, or are those of another file.
    """
    found = truth(reaudit(result), include_unchecked=include_unchecked)
    if not found.tiles:
        why = (
            "; ".join(f"{number} {reason}" for reason, number in found.left_out.items()) or "it has no tiles"
        )
        raise UsageError(
            f"Nothing of this result can be exported: {why}. Accept or reject the boxes of a tile, or take them "
            "as they are with include-unchecked."
        )
    labels = tuple(distinct_labels(found.tiles))
    with _opened(target) as put:
        taken: list[TruthTile] = []
        images = _distinct(pictures(result, found.tiles, locate), taken)
        match form:
            case ExportFormat.GEO_COT:
                examples = formats.geo_cot(images, put, _profile(result))
            case ExportFormat.COCO:
                examples = formats.coco(images, put, labels)
            case ExportFormat.YOLO:
                examples = formats.yolo(images, put, labels)
        if not examples:
            raise UsageError(
                "No question of this result has an answer that follows from boxes (count, detect, ground, are there "
                "any), so there is nothing to write as Geo-CoT. Export its boxes as coco or yolo."
            )
        left_out = dict(found.left_out)
        if len(taken) < len(found.tiles):
            left_out[SAME_PIXELS] = len(found.tiles) - len(taken)
        made = Exported(form, examples, sum(len(tile.boxes) for tile in taken), labels, left_out)
        put(PROVENANCE, _provenance(result, taken, made, include_unchecked))
    return made


def _distinct(images: Iterator[TilePicture], taken: list[TruthTile]) -> Iterator[TilePicture]:
    """Pictures that differ, empty sea for one is taken once; notes their tiles in `taken`, in order."""
    names = set[str]()
    for image in images:
        if image.name not in names:
            names.add(image.name)
            taken.append(image.truth)
            yield image


def _profile(result: Result) -> Profile:
    try:
        return Profile.model_validate((result.metadata.get("configuration") or {})["profile"])
    except (KeyError, ValidationError) as err:
        raise UsageError(
            "The file does not say in which notation its model writes boxes (its metadata were lost), so Geo-CoT "
            "cannot be written. Export its boxes as coco or yolo."
        ) from err


def _provenance(result: Result, taken: list[TruthTile], made: Exported, include_unchecked: bool) -> bytes:
    run: dict[str, Any] = result.metadata.get("configuration") or {}
    profile = run.get("profile") or {}
    document = {
        "made_by": f"groundproof {__version__}",
        **made.as_dict(),
        "include_unchecked": include_unchecked,
        "smallest_part_px": MIN_PART_PX,
        "run_id": result.metadata.get("run_id"),
        "model": result.metadata.get("model"),
        "prompt_version": result.metadata.get("prompt_version"),
        "profile": profile.get("name"),
        "box_frame": profile.get("frame"),
        "tile_px": run.get("tile_px"),
        "sides_are_multiples_of_px": profile.get("patch_merge_px"),
        "questions": [{"answer_id": a.answer_id, "text": a.question} for a in named_rows(result.answers)],
        "scenes": [
            {"scene": s.scene, "content_id": s.content_id, "gsd_m": None if s.gsd_m != s.gsd_m else s.gsd_m}
            for s in named_rows(result.scenes)
        ],
        "tiles": [{"scene": tile.scene, "window_px": tile.window_px} for tile in taken],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


@contextmanager
def _opened(target: Path) -> Iterator[Put]:
    """Takes files by name; what was written appears at `target` when the block ends well."""
    if target.suffix.lower() == ".zip":
        with replacing(target) as temporary, ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
            # A fixed date (ZipInfo's own), so that the same result gives the same bytes.
            yield lambda name, content: archive.writestr(ZipInfo(name), content)
        return
    if target.exists():
        raise OutputError(
            f"{target} exists. Give a folder that does not exist yet, or a name that ends in .zip."
        )
    if not target.parent.is_dir():
        raise OutputError(f"{target} cannot be made: there is no folder {target.parent}.")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield lambda name, content: _put(temporary / name, content)
            temporary.chmod(0o755)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # nothing is there after a success
    except OSError as err:
        raise OutputError(explain(target, err)) from err


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
