"""Corrections come back: 50 tiles are asked, corrected with the truth, exported, trained on; others say what changed.

    python scripts/corrections_example.py out/corrections
    python scripts/corrections_example.py out/same --same-sensor --config tiny     # what did not help (docs/LOG.md)

What an analyst does in QGIS is done here by the exact truth of procedural scenes: boxes on an object are accepted,
boxes near one are moved onto it, others are rejected, objects without a box get one drawn. Then what anybody types:
`groundproof review export`, `groundproof-train samples corrections`, `groundproof-train sft tiny`. About ten
minutes on two idle cores; OUT/result.json holds the figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from shapely.geometry import Polygon

from groundproof.outputs import read, write
from groundproof.tables import Result
from groundproof_training.metrics.boxes import iou_matrix
from groundproof_training.scenes import WorldSpec, make_scene
from groundproof_training.tuning.configuration import folder

QUESTION = "Where are the ships?"
SHIPS = WorldSpec(classes=("ship",), max_classes=1, size_px=(24.0, 64.0), n_objects=(1, 4), empty=0.1)
"""The embedded model's weakest common class."""
FIRST_SEED = {"corrected": 41_000_000, "held-out": 42_000_000}
SIDE_PX, GSD_M = 224, 0.5
ON, NEAR = 0.7, 0.2
"""IoU from which a box is accepted, and from which it is moved onto its object."""

Truth = dict[str, np.ndarray]


def render(place: Path, kind: str, number: int, *, inverted: bool = False) -> Truth:
    """`number` georeferenced tiles; boxes by scene name, (n, 4) px. inverted: dark is light, as in a sensor that the
    embedded model has never seen."""
    place.mkdir(parents=True, exist_ok=True)
    truth = {}
    for k in range(number):
        scene = make_scene(FIRST_SEED[kind] + k, SIDE_PX, SIDE_PX, SHIPS)
        name = f"{kind}-{k:03d}"
        affine = Affine.translation(443_000.0 + 200 * k, 4_100_000.0) @ Affine.scale(GSD_M, -GSD_M)
        profile = dict(
            width=SIDE_PX, height=SIDE_PX, count=3, dtype="uint8", crs="EPSG:32631", transform=affine
        )
        with rasterio.open(place / f"{name}.tif", "w", driver="GTiff", **profile) as file:
            image = 255 - scene.image if inverted else scene.image
            file.write(image.transpose(2, 0, 1))
        boxes = [one.box for one in scene.objects if one.label == "ship"]
        truth[name] = np.array(boxes, dtype=float).reshape(-1, 4)
    return truth


def run(*words: str) -> None:
    """One of the project's commands, as typed."""
    shown = [word for word in words if not word.endswith(".tif")]
    print("$", *shown[:2], *(["TILES"] if len(shown) < len(words) else []), *shown[2:], flush=True)
    subprocess.run([str(Path(sys.executable).parent / words[0]), *words[1:]], check=True)  # noqa: S603


def ask(place: Path, model: str, out: Path) -> Result:
    """The question about every tile."""
    tiles = sorted(str(path) for path in place.glob("*.tif"))
    run("groundproof", "ask", *tiles, "-q", QUESTION, "-o", str(out), "--model", model, "--fresh", "--quiet")
    return read(out)


def said(result: Result, scene: str) -> pd.DataFrame:
    """Evidence rows of one tile."""
    return result.evidence[result.evidence["scene"].str.contains(scene)]


def boxes_of(rows: pd.DataFrame) -> np.ndarray:
    """(n, 4) px."""
    return np.array([list(box) for box in rows["box_px"]], dtype=float).reshape(-1, 4)


def figures(result: Result, truth: Truth) -> dict[str, float]:
    """Precision, recall and F1 at IoU 0.5 over all tiles, and the share of tiles with the right number."""
    right = found = true = exact = 0
    for scene, boxes in truth.items():
        ours = boxes_of(said(result, scene))
        right += len(pairs(ours, boxes, 0.5))
        found, true, exact = found + len(ours), true + len(boxes), exact + (len(ours) == len(boxes))
    precision, recall = right / max(1, found), right / max(1, true)
    f1 = 2 * right / max(1, found + true)
    return {"f1": f1, "precision": precision, "recall": recall, "exact": exact / len(truth), "boxes": found}


def pairs(ours: np.ndarray, theirs: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Greedy, best first."""
    iou = iou_matrix(ours, theirs) if len(ours) and len(theirs) else np.zeros((0, 0))
    made = []
    while iou.size and iou.max() >= least:
        row, column = np.unravel_index(int(iou.argmax()), iou.shape)
        made.append((int(row), int(column)))
        iou[row], iou[:, column] = 0, 0
    return made


def corrected(result: Result, truth: Truth) -> tuple[Result, Counter[str]]:
    """The result as a patient analyst would leave it, and how often each thing was done."""
    evidence, done = result.evidence.copy(), Counter[str]()
    evidence["review"] = evidence["review"].astype(object)
    drawn = []
    for scene, boxes in truth.items():
        rows = said(result, scene)
        ours = boxes_of(rows)
        matched = dict(pairs(ours, boxes, NEAR))
        affine = affine_of(result, scene)
        for k, index in enumerate(rows.index):
            word = "rejected"
            if k in matched:
                iou = float(iou_matrix(ours[k : k + 1], boxes[matched[k] : matched[k] + 1])[0, 0])
                word = "accepted" if iou >= ON else "adjusted"
            if word == "adjusted":
                evidence.loc[index, "geometry"] = polygon(boxes[matched[k]], affine)
            evidence.loc[index, "review"] = word
            done[word] += 1
        answer = result.answers[result.answers["scene"].str.contains(scene)].iloc[0]
        for number in sorted(set(range(len(boxes))) - set(matched.values())):
            drawn.append(
                {"answer_id": answer.answer_id, "scene": answer.scene, "label": "ship", "review": "added",
                 "geometry": polygon(boxes[number], affine)}
            )  # fmt: skip
            done["added"] += 1
    if drawn:
        added = gpd.GeoDataFrame(drawn, geometry="geometry", crs=evidence.crs)
        evidence = pd.concat([evidence, added], ignore_index=True)
    return replace(result, evidence=evidence), done


def affine_of(result: Result, scene: str) -> Affine:
    """Of a tile."""
    row = result.scenes[result.scenes["scene"].str.contains(scene)].iloc[0]
    return Affine(*list(row.affine)[:6])


def polygon(box: np.ndarray, affine: Affine) -> Polygon:
    """The box on the map."""
    x0, y0, x1, y1 = box.tolist()
    return Polygon([affine @ corner for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def with_trained_tower(path: Path) -> str:
    """`tiny` as a file of one's own, one line changed: another sensor is for the tower to learn."""
    content = (folder() / "tiny.toml").read_text(encoding="utf-8")
    path.write_text(content.replace('vision = "frozen"', 'vision = "trained"'), encoding="utf-8")
    return str(path)


def main() -> None:
    """All of it, in order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--tiles", type=int, default=50, help="Corrected, and as many held out.")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--config", help="Of the fine-tuning. Default: tiny, with the tower trained too.")
    parser.add_argument(
        "--same-sensor", action="store_true", help="Tiles as the model knows them, not inverted."
    )
    args = parser.parse_args()
    out: Path = args.out
    truth = {kind: render(out / kind, kind, args.tiles, inverted=not args.same_sensor) for kind in FIRST_SEED}
    config = args.config or with_trained_tower(out / "corrections.toml")
    before = ask(out / "held-out", "tiny", out / "before.gpkg")
    answered = ask(out / "corrected", "tiny", out / "answered.gpkg")
    reviewed, done = corrected(answered, truth["corrected"])
    write(reviewed, out / "reviewed.gpkg")
    run(
        "groundproof",
        "review",
        "export",
        str(out / "reviewed.gpkg"),
        "-o",
        str(out / "export"),
        "--format",
        "geo-cot",
    )
    run("groundproof-train", "samples", "corrections", str(out / "export"), "-o", str(out / "corrections.jsonl"),
        "--split", "train", "--set", "val_share=0", "--set", "test_share=0")  # fmt: skip
    run("groundproof-train", "sft", config, "--data", str(out / "corrections.jsonl"), "--root",
        str(out / "export"), "--max-steps", str(args.steps), "-o", str(out / "model"))  # fmt: skip
    after = ask(out / "held-out", str(out / "model"), out / "after.gpkg")
    result = {
        "corrections": dict(done),
        "samples": sum(1 for _ in (out / "corrections.jsonl").open(encoding="utf-8")),
        "steps": args.steps,
        "held-out before": figures(before, truth["held-out"]),
        "held-out after": figures(after, truth["held-out"]),
    }
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
