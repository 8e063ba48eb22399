"""Render one procedural scene with exact truth and write it as a georeferenced GeoTIFF.

    python scripts/demo_scene.py out/demo/scene-2.tif --seed 2
    python scripts/demo_scene.py plugin/groundproof_qgis/demo/scene.tif --seed 2 --rotation 0 --jpeg     # the plugin's

Beside OUT.tif lies OUT.truth.json: the objects' boxes in pixels, for whoever wants to check the answer.
The scene is rotated against its grid, as aerial strips are: boxes that ignore this would miss the objects.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from groundproof_training.scenes import WorldSpec, make_scene

GSD_M = 0.5
ROTATION_DEG = 15.0
AIRFIELD = WorldSpec(
    classes=("airplane",),
    max_classes=1,
    size_px=(36.0, 84.0),
    n_objects=(1, 4),
    empty=0.0,
    clutter=0.5,
    sensors=False,
)
"""What the first embedded model is best at: large airplanes, little clutter, a clean sensor."""
WEST_M, NORTH_M = 443_000.0, 4_100_000.0
"""Somewhere in UTM zone 31N; the scene shows no real place."""


def main() -> None:
    """Write the scene and its truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--width", type=int, default=896)
    parser.add_argument("--height", type=int, default=672)
    parser.add_argument("--rotation", type=float, default=ROTATION_DEG, help="Of the grid, degrees.")
    parser.add_argument("--jpeg", action="store_true", help="A smaller file, without the truth beside it.")
    args = parser.parse_args()

    scene = make_scene(args.seed, args.width, args.height, AIRFIELD)
    affine = (
        Affine.translation(WEST_M, NORTH_M) @ Affine.rotation(args.rotation) @ Affine.scale(GSD_M, -GSD_M)
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        args.out,
        "w",
        driver="GTiff",
        width=args.width,
        height=args.height,
        count=3,
        dtype="uint8",
        crs="EPSG:32631",
        transform=affine,
        tiled=True,
        compress="jpeg" if args.jpeg else "deflate",
        **({"photometric": "YCBCR", "jpeg_quality": 90} if args.jpeg else {"photometric": "RGB"}),
    ) as target:
        target.write(np.moveaxis(scene.image, 2, 0))
    truth = [
        {"label": o.label, "box_px": [round(v, 2) for v in o.box], "visible": o.visible}
        for o in scene.objects
    ]
    if not args.jpeg:
        args.out.with_suffix(".truth.json").write_text(
            json.dumps({"ground": scene.ground, "objects": truth}, indent=1)
        )
    print(f"The scene was drawn with {len(truth)} airplanes in it.")


if __name__ == "__main__":
    main()
