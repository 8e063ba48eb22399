"""Whole real scenes the model never saw: airplanes in Pleiades, storage tanks in SPOT pictures, after the merge.

    groundproof-train evaluate-real engine/groundproof/weights/tiny --data DIR --which aircraft --out FOLDER

Each picture goes through `groundproof.ask` in pixel space, tiles, parser, merge and all; what is scored are the
counted rows of the evidence table. Knows settings, resuming and figures; refuses to know annotation files
(`real_truth`). The imagery may be used for tests only, and no setting may be chosen by these scores.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from pydantic import BaseModel, ConfigDict, Field
from rasterio.errors import NotGeoreferencedWarning

import groundproof
from groundproof.counting import answers_to, counted
from groundproof.listening import Plan, Silent
from groundproof.models.identity import content_hash
from groundproof.models.resolve import resolve
from groundproof.protocol import PROMPT_VERSION
from groundproof.tables import FAILED, TileStatus
from groundproof_training.real_truth import (
    SETS,
    Picture,
    RealEvaluationError,
    Which,
    as_boxes,
    draw_extremes,
    judge,
    read_pictures,
)
from groundproof_training.scoring import Sums, add, intervals, ratios

Say = Callable[[str], None]

SIZES = (("under 16", 16.0), ("16-32", 32.0), ("32-64", 64.0), ("over 64", float("inf")))
"""Names and upper limits: square root of the box area, px of the picture as it is asked."""

HEADLINE = ("f1", "precision", "recall", "f1_iou25", "precision_iou25", "recall_iou25", "count_mae")
RECALLS = tuple(f"recall {name}" for name, _ in SIZES)
COLUMNS = ("true", "ignored", "said", "hits", "near", "off", "said_count", "count_error", "tiles", "seconds")
SAY_S = 10.0
FEWEST = 5
"""Pictures below which resampling them says nothing."""


class RealConfig(BaseModel):
    """How the pictures are asked. `ask --gsd` needs a CRS, which these files lack, so `scale` resamples the picture
    before asking: a temporary GeoTIFF through cv2.INTER_AREA, its boxes scaled back. scale: asked px per file px, None
    for the set's own. tile_px, overlap_px: None for the model's. limit: the first n pictures by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float | None = Field(None, gt=0, le=4)
    tile_px: int | None = None
    overlap_px: int | None = None
    second_look: bool = False
    limit: int | None = Field(None, ge=1)
    draws: int = 1000


def evaluate_real(
    model: str | Path,
    data_dir: Path,
    which: Which,
    cfg: RealConfig,
    report: Say = lambda line: None,
    out: Path | None = None,
) -> dict[str, Any]:
    """All figures as one JSON-able dictionary. model: a profile's name or a folder, as `ask --model` takes it.

    out: a folder outside this project's checkout for `answers-WHICH.jsonl` (a finished picture is not asked again
    by the same weights, settings and engine), `result-WHICH.json` and the pictures of the three best and worst.
    Raises RealEvaluationError, and whatever `groundproof.ask` raises.
    """
    pictures = read_pictures(data_dir, which)[: cfg.limit]
    if out is not None:
        _refuse_checkout(out)
        out.mkdir(parents=True, exist_ok=True)
    log = None if out is None else out / f"answers-{which}.jsonl"
    key = _key(model, which, cfg)
    kept = _kept(log, key)
    progress = _Progress(report, sum(p.name not in kept for p in pictures))
    rows = []
    for picture in pictures:
        answer = kept.get(picture.name)
        if answer is None:
            answer = {"image": picture.name, "key": key, **ask_picture(model, picture, which, cfg, progress)}
            _append(log, answer)
            progress.picture_done()
        rows.append(_scored(picture, answer, _scale(which, cfg)))
    result = _result(model, which, cfg, key, rows)
    if out is not None:
        (out / f"result-{which}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        draw_extremes(pictures, result["images"], out, which, _scale(which, cfg))
    return result


def _scale(which: Which, cfg: RealConfig) -> float:
    return SETS[which].scale if cfg.scale is None else cfg.scale


def _key(model: str | Path, which: Which, cfg: RealConfig) -> dict[str, Any]:
    """What an answer depends on; a kept one counts only when all of it is the same."""
    spec = resolve(str(model))
    asked = cfg.model_dump(exclude={"limit", "draws", "scale"})
    return {
        "model": f"{spec.profile.name}-{content_hash(spec.folder)}",
        "profile": spec.profile.model_dump(mode="json"),
        "engine": f"{groundproof.__version__}, prompt {PROMPT_VERSION}",
        "question": SETS[which].question,
        "scale": _scale(which, cfg),
        **asked,
    }


def _kept(log: Path | None, key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if log is None or not log.is_file():
        return {}
    kept: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as err:
            raise RealEvaluationError(
                f"{log}, line {number} is no JSON ({err}); delete that line to ask its picture again"
            ) from err
        if row["key"] == key:
            kept[row["image"]] = row
    return kept


def _append(log: Path | None, row: dict[str, Any]) -> None:
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _refuse_checkout(out: Path) -> None:
    """The pictures show imagery that must not get into this project's history."""
    for parent in (out.resolve(), *out.resolve().parents):
        project = parent / "pyproject.toml"
        if (
            (parent / ".git").exists()
            and project.is_file()
            and 'name = "groundproof"' in project.read_text(encoding="utf-8")
        ):
            raise RealEvaluationError(
                f"{out} lies inside the checkout {parent}; test imagery must stay out of it. Name a folder elsewhere."
            )


class _Progress(Silent):
    """Counts tiles over all pictures and says the time left, every `SAY_S` seconds."""

    def __init__(self, report: Say, pictures: int) -> None:
        self._report, self._left = report, pictures
        self._tiles = self._done = self._here = 0
        self._started = self._said = time.monotonic()
        self.failed = self.empty = 0

    def planned(self, plan: Plan) -> None:
        """Pictures of one set are about equally large, so this one's tiles tell how many all have."""
        self._tiles, self._here = plan.tiles, 0
        self.failed = self.empty = 0

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Counted."""
        self._done += 1
        self._here += 1
        self.failed += status in FAILED
        self.empty += status is TileStatus.EMPTY
        now = time.monotonic()
        if now - self._said > SAY_S:
            self._said = now
            per_tile = (now - self._started) / self._done
            left = per_tile * (self._tiles * self._left - self._here)
            self._report(
                f"{self._left} pictures to do, {self._here}/{self._tiles} tiles of this one, "
                f"{per_tile:.2f} s a tile, {left:.0f} s left"
            )

    def picture_done(self) -> None:
        """One picture has its answer."""
        self._left -= 1
        self._here = 0


def ask_picture(
    model: str | Path, picture: Picture, which: Which, cfg: RealConfig, progress: _Progress | None = None
) -> dict[str, Any]:
    """Ask one picture. boxes: the counted rows that are what was asked for, px of the file; count: the answer's."""
    scale, asked = _scale(which, cfg), SETS[which]
    progress = progress or _Progress(lambda line: None, 1)
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        path, factor = _rescaled(picture.path, scale, Path(scratch))
        started = time.monotonic()
        answer = groundproof.ask(
            path,
            asked.question,
            task="count",
            model=str(model),
            pixel_space=True,
            tile_px=cfg.tile_px,
            overlap_px=cfg.overlap_px,
            second_look=cfg.second_look,
            listener=progress,
        )
        seconds = time.monotonic() - started
    evidence = answer.evidence[counted(answer.evidence) & answers_to(answer.evidence, (asked.label,))]
    boxes = as_boxes(list(evidence.box_px)) / np.tile(factor, 2)
    return {
        "boxes": boxes.round(2).tolist(),
        "count": None if answer.value is None else int(answer.value),
        "tiles": len(answer.result.tiles),
        "empty_tiles": progress.empty,
        "failed_tiles": progress.failed,
        "tile_boxes": int(answer.result.tiles.n_evidence.sum()),
        "seconds": round(seconds, 1),
    }


def _rescaled(path: Path, scale: float, scratch: Path) -> tuple[Path, np.ndarray]:
    """The picture to ask, and its px per file px in x and y."""
    if scale == 1.0:
        return path, np.ones(2)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise RealEvaluationError(f"{path} is no picture that can be read")
    rows, columns = pixels.shape[:2]
    size = (round(columns * scale), round(rows * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = cv2.resize(pixels, size, interpolation=how)[..., ::-1]
    target = scratch / f"{path.stem}.tif"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the original has no place either
        with rasterio.open(
            target,
            "w",
            driver="GTiff",
            width=size[0],
            height=size[1],
            count=3,
            dtype="uint8",
            photometric="RGB",
        ) as file:
            file.write(np.moveaxis(pixels, 2, 0))
    return target, np.array([size[0] / columns, size[1] / rows])


def _scored(picture: Picture, answer: dict[str, Any], scale: float) -> dict[str, Any]:
    """One picture's row: its answer, its numbers and its sums."""
    said = as_boxes(answer["boxes"])
    v = judge(said, picture.boxes, picture.ignored)
    # The answer's own number where it gives one; what lies on ignored objects is taken off.
    number = (len(said) if answer["count"] is None else answer["count"]) - int(v.off.sum())
    error = abs(number - len(picture.boxes))
    sums: Sums = {"count_mae": (error, 1)}
    for suffix, hit, off in (("", v.hit, v.off), ("_iou25", v.near, v.off_near)):
        hits, valid = int(hit.sum()), int(len(said) - off.sum())
        sums[f"f1{suffix}"] = (2 * hits, valid + len(picture.boxes))
        sums[f"precision{suffix}"] = (hits, valid)
        sums[f"recall{suffix}"] = (hits, len(picture.boxes))
    sides = np.sqrt(np.clip(picture.boxes[:, 2:] - picture.boxes[:, :2], 0, None).prod(-1)) * scale
    low = 0.0
    for name, limit in SIZES:
        mine = (sides >= low) & (sides < limit)
        sums[f"recall {name}"] = (int(v.found[mine].sum()), int(mine.sum()))
        sums[f"recall_iou25 {name}"] = (int(v.found_near[mine].sum()), int(mine.sum()))
        low = limit
    row = {k: value for k, value in answer.items() if k not in ("key", "count")}
    return row | {
        "true": len(picture.boxes),
        "ignored": len(picture.ignored),
        "said": len(said),
        "hits": int(v.hit.sum()),
        "near": int(v.near.sum()),
        "off": int(v.off.sum()),
        "said_count": number,
        "count_error": error,
        "f1": round(sums["f1"][0] / max(1, sums["f1"][1]), 3),
        "sums": {k: list(pair) for k, pair in sums.items()},
    }


def _result(
    model: str | Path, which: Which, cfg: RealConfig, key: dict[str, Any], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    sums: list[Sums] = [{k: (pair[0], pair[1]) for k, pair in row["sums"].items()} for row in rows]
    figures = ratios(add(sums))
    names = [k for k in (*HEADLINE, *RECALLS) if k in figures]
    total = {
        c: sum(row[c] for row in rows) for c in ("true", "ignored", "said", "hits", "near", "off", "tiles")
    }
    seconds = sum(row["seconds"] for row in rows)
    return {
        "which": which,
        "model": key["model"],
        "question": key["question"],
        "scale": key["scale"],
        "config": cfg.model_dump(),
        "pictures": len(rows),
        **total,
        "failed_tiles": sum(row["failed_tiles"] for row in rows),
        "seconds": round(seconds, 1),
        "seconds_per_tile": round(seconds / max(1, total["tiles"]), 3),
        "figures": figures,
        "intervals": intervals(sums, names, cfg.draws) if len(rows) >= FEWEST else {},
        "images": [{k: value for k, value in row.items() if k != "sums"} for row in rows],
    }


def table(result: dict[str, Any]) -> str:
    """Fixed-width text: a row per picture, then the figures with their intervals."""
    width = 20
    lines = [" " * width + "".join(f"{c:>12}" for c in (*COLUMNS, "f1"))]
    for row in result["images"]:
        cells = "".join(f"{row[c]:>12}" for c in COLUMNS)
        lines.append(f"{row['image'][: width - 2]:{width}}{cells}{row['f1']:>12.3f}")
    lines.append("")
    for name, value in result["figures"].items():
        low, high = result["intervals"].get(name, (None, None))
        spread = "" if low is None else f"   95 % {low:.3f} to {high:.3f}"
        lines.append(f"{name:{width}}{value:>12.3f}{spread}")
    lines.append(
        f"\n{result['which']}, {result['pictures']} pictures at scale {result['scale']:g}, {result['model']}: "
        f"{result['tiles']} tiles ({result['failed_tiles']} failed), {result['seconds_per_tile']:.2f} s a tile"
    )
    return "\n".join(lines)


def run_command(
    model: str,
    data: Path,
    which: str,
    out: Path | None,
    limit: int | None,
    *,
    scale: float | None = None,
    tile_px: int | None = None,
    as_json: bool = False,
    report: Say = lambda line: None,
) -> str:
    """What `groundproof-train evaluate-real` prints."""
    if which not in SETS:
        raise RealEvaluationError(f"--which {which}: there is no such set; there is {', '.join(SETS)}")
    chosen: Which = "aircraft" if which == "aircraft" else "storage_tanks"
    cfg = RealConfig(scale=scale, tile_px=tile_px, limit=limit)
    result = evaluate_real(model, data, chosen, cfg, report, out)
    return json.dumps(result, indent=1) if as_json else table(result)
