"""The formats of training data: Geo-CoT messages, COCO, YOLO.

Knows how each format writes images and boxes. Refuses to know where files go and which boxes are true.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from math import floor
from typing import Any

from groundproof.boxes import BoxFrame, ModelBox, PixelBox, Tile
from groundproof.georeference import to_model
from groundproof.labels import plural
from groundproof.models.profile import Profile
from groundproof.protocol import (
    Finding,
    Task,
    count_synthesis,
    detect_answer,
    format_trace,
    is_existence,
    place_words,
    quantise_per_mille,
    render,
)
from groundproof.protocol.grammar import TAGS, evidence_text
from groundproof.review_export.pixels import TilePicture
from groundproof.review_export.truth import Taught, TrueBox
from groundproof.wording import joined

Put = Callable[[str, bytes], None]
"""Takes a file's name inside the export and its content."""

IMAGES = "images"


def geo_cot(pictures: Iterable[TilePicture], put: Put, profile: Profile) -> int:
    """`geo-cot.jsonl`, one conversation a line, with the keys of RSThinker's published SFT data: `messages`
    (role, content) and `images` (github.com/minglangL/RSThinker, README). Boxes are in the profile's frame, the
    prompt is the profile's. How many lines.

    Only questions whose answer follows from boxes: count, detect, ground, "are there any".
    """
    lines = []
    for picture in pictures:
        conversations = [
            messages
            for taught in picture.truth.taught
            if (messages := _messages(taught, picture.tile, profile)) is not None
        ]
        if conversations:
            name = f"{IMAGES}/{picture.name}"
            put(name, picture.png)
            lines += [
                json.dumps({"messages": m, "images": [name]}, ensure_ascii=False) for m in conversations
            ]
    put("geo-cot.jsonl", "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def coco(pictures: Iterable[TilePicture], put: Put, labels: Sequence[str]) -> int:
    """`annotations.json` of COCO's detection task: bbox x, y, width, height in the tile's pixels, ids from 1.
    How many images."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories = {label: number for number, label in enumerate(labels, start=1)}
    for picture in pictures:
        put(f"{IMAGES}/{picture.name}", picture.png)
        tile = picture.tile
        images.append(
            {
                "id": len(images) + 1,
                "file_name": picture.name,
                "width": tile.model_width,
                "height": tile.model_height,
            }
        )
        for box in picture.truth.boxes:
            x0, y0, x1, y1 = _in_tile(box.upright, tile)
            sx, sy = tile.model_width / tile.window.width, tile.model_height / tile.window.height
            ring = [
                ((x - tile.window.x0) * sx, (y - tile.window.y0) * sy)
                for x, y in box.polygon.exterior.coords[:-1]
            ]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": categories[box.label],
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": box.polygon.area * sx * sy,
                    "segmentation": [[value for point in ring for value in point]],
                    "iscrowd": 0,
                }
            )
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": label} for label, number in categories.items()],
    }
    put("annotations.json", json.dumps(document, ensure_ascii=False).encode())
    return len(images)


def yolo(pictures: Iterable[TilePicture], put: Put, labels: Sequence[str]) -> int:
    """One text file for each image: class, centre x, centre y, width, height, as shares of the image; with
    `data.yaml` and `classes.txt`. An image without objects has an empty file. How many images."""
    numbers = {label: number for number, label in enumerate(labels)}
    written = 0
    for picture in pictures:
        written += 1
        width, height = picture.tile.model_width, picture.tile.model_height
        lines = []
        for box in picture.truth.boxes:
            x0, y0, x1, y1 = _in_tile(box.upright, picture.tile)
            shares = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
            lines.append(f"{numbers[box.label]} {' '.join(f'{share:.6f}' for share in shares)}\n")
        put(f"{IMAGES}/{picture.name}", picture.png)
        put(f"labels/{picture.name.removesuffix('.png')}.txt", "".join(lines).encode())
    # JSON strings are YAML strings, whatever the label holds.
    names = "".join(f"  {number}: {json.dumps(label)}\n" for label, number in numbers.items())
    classes = f"names:\n{names}" if names else "names: {}\n"
    put("data.yaml", f"path: .\ntrain: {IMAGES}\nval: {IMAGES}\n{classes}".encode())
    put("classes.txt", "".join(f"{label}\n" for label in labels).encode())
    return written


def _messages(taught: Taught, tile: Tile, profile: Profile) -> list[dict[str, str]] | None:
    """The conversation of one question about one tile; None where its answer does not follow from boxes."""
    said = _trace(taught, tile, profile.frame)
    if said is None:
        return None
    prompt = render(taught.task, taught.question, profile, taught.labels)
    system = [{"content": prompt.system, "role": "system"}] if prompt.system else []
    return [
        *system,
        {"content": f"<image>{prompt.text}", "role": "user"},
        {"content": said, "role": "assistant"},
    ]


def _trace(taught: Taught, tile: Tile, frame: BoxFrame) -> str | None:
    size = (float(tile.model_width), float(tile.model_height))
    findings = [_finding(box, tile, frame, size) for box in taught.asked_for]
    if taught.task is Task.COUNT:
        answer = str(len(findings))
    elif taught.task in (Task.DETECT, Task.GROUND):
        answer = detect_answer([finding.box for finding in findings], frame)
    elif taught.task is Task.VQA and is_existence(taught.question):
        answer = "yes" if findings else "no"
    else:
        return None
    return format_trace(
        _plan(taught), evidence_text(findings, frame, taught.labels), count_synthesis(findings), answer
    )


def _plan(taught: Taught) -> str:
    """The model's own plan, unless it gave none, or one that would break the grammar."""
    if taught.plan and not any(f"<{slash}{tag}>" in taught.plan for tag in TAGS for slash in ("", "/")):
        return taught.plan
    return f"Search the image for {joined([plural(label) for label in taught.labels]) or 'objects'}."


def _finding(box: TrueBox, tile: Tile, frame: BoxFrame, size: tuple[float, float]) -> Finding:
    written = as_written(box, tile, frame)
    return Finding(box.label, written, place_words(written, frame, None if frame.full_scale else size))


def as_written(box: TrueBox, tile: Tile, frame: BoxFrame) -> ModelBox:
    """The box in whole numbers of the frame, every side at least 1 long."""
    turned = frame.has_angle and box.box.angle_deg is not None
    place = box.box if turned else box.upright
    if frame is BoxFrame.PER_MILLE:
        window = tile.window
        return quantise_per_mille(
            place.x0 - window.x0,
            place.y0 - window.y0,
            place.x1 - window.x0,
            place.y1 - window.y0,
            window.width,
            window.height,
        )
    exact = to_model(place, frame, tile)
    x0, y0 = round(exact.x0), round(exact.y0)
    angle = None if exact.angle_deg is None else floor(exact.angle_deg + 0.5)
    return ModelBox(x0, y0, max(x0 + 1, round(exact.x1)), max(y0 + 1, round(exact.y1)), angle)


def _in_tile(box: PixelBox, tile: Tile) -> tuple[float, float, float, float]:
    """Scene pixels to pixels of the tile's picture."""
    placed = to_model(box, BoxFrame.RESIZED_PIXELS, tile)
    return placed.x0, placed.y0, placed.x1, placed.y1
