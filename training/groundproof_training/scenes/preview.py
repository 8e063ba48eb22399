"""A contact sheet of scenes with their truth drawn in, for eyes.

python -m groundproof_training.scenes.preview OUT.png --seed 0 --count 24
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from groundproof_training.scenes.spec import WorldSpec
from groundproof_training.scenes.world import make_scene

if TYPE_CHECKING:
    from collections.abc import Sequence

COLOUR = {
    "airplane": (255, 60, 60),
    "ship": (60, 230, 255),
    "storage tank": (255, 220, 40),
    "vehicle": (90, 255, 90),
    "building": (255, 150, 60),
    "bridge": (255, 90, 255),
    "tree": (150, 220, 120),
    "sports field": (120, 140, 255),
    "roundabout": (255, 255, 255),
    "harbour": (190, 120, 255),
}
GAP_PX = 4


def contact_sheet(
    seeds: Sequence[int], width: int, height: int, spec: WorldSpec, *, boxes: bool = True
) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a scene per seed, six to a row, a box per object, its colour its class's."""
    columns = max(1, min(6, len(seeds)))
    rows = -(-len(seeds) // columns)
    sheet = np.full((rows * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3), 32, np.uint8)
    for i, seed in enumerate(seeds):
        scene = make_scene(seed, width, height, spec)
        image = scene.image.copy()
        for thing in scene.objects if boxes else ():
            x0, y0, x1, y1 = (round(v) for v in thing.box)
            cv2.rectangle(image, (x0 - 1, y0 - 1), (x1, y1), COLOUR[thing.label], 1)
        x, y = GAP_PX + (i % columns) * (width + GAP_PX), GAP_PX + (i // columns) * (height + GAP_PX)
        sheet[y : y + height, x : x + width] = image
    return sheet


def main(argv: Sequence[str] | None = None) -> int:
    """Write a contact sheet and print its path."""
    parser = argparse.ArgumentParser(
        prog="python -m groundproof_training.scenes.preview", description=__doc__
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=24, help="how many scenes")
    parser.add_argument("--width", type=int, default=224, help="px")
    parser.add_argument("--height", type=int, default=224, help="px")
    parser.add_argument("--no-boxes", action="store_true", help="leave the truth out")
    args = parser.parse_args(argv)
    seeds = range(args.seed, args.seed + args.count)
    sheet = contact_sheet(seeds, args.width, args.height, WorldSpec(), boxes=not args.no_boxes)
    if not cv2.imwrite(str(args.out), sheet[..., ::-1]):
        raise OSError(f"cannot write {args.out}")
    print(args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
