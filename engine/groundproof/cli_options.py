"""Options that several commands share, with their help texts.

Knows words for people. Decides nothing about imagery.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundproof.ask_options import Spread
from groundproof.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Only failures and the path made.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", help="File to write: .gpkg, .parquet or .geojson. Default: SCENE-answer.gpkg here."
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--picture", help="Also draw the scene with its numbered boxes into this PNG.")
]
Summary = Annotated[
    Path | None, typer.Option("--summary", help="Also write summary.csv: a row per scene and question.")
]
Task = Annotated[
    str,
    typer.Option(
        help="auto, count, detect, ground, classify, caption, region-caption, grounded-caption, vqa or change. "
        "auto infers it from the question and says so."
    ),
]
AoiText = Annotated[
    str | None,
    typer.Option(
        "--aoi",
        help="Part of the scene to ask about: a vector file of polygons, or 'x0,y0,x1,y1[,EPSG:code]' "
        "(in the scene's CRS unless a code is given).",
    ),
]
AoiField = Annotated[
    str | None, typer.Option(help="With a vector file: one answer per polygon, named by this field.")
]
Bands = Annotated[
    str | None,
    typer.Option(help="Three bands as red, green, blue (or one), 1-based: 4,3,2. Default: from the file."),
]
TileSide = Annotated[
    int | None,
    typer.Option("--tile", help="Side of a tile in px, as the model sees it. Default: the model's."),
]
Overlap = Annotated[
    int | None, typer.Option(help="Overlap of neighbouring tiles in px. Default: the model's.")
]
Gsd = Annotated[
    float | None,
    typer.Option(
        help="Resample tiles to this ground sampling distance (metres per px), so that objects have the size "
        "the model was trained on. Default: only when the scene is outside the model's range."
    ),
]
Model = Annotated[
    str, typer.Option(help="A profile (see `groundproof models`) or a folder with a checkpoint.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Discard what an earlier run left in the run directory.")
]
SceneCrs = Annotated[
    str | None,
    typer.Option(help="CRS of a scene whose file names none (it still needs a transform or world file)."),
]
PixelSpace = Annotated[
    bool,
    typer.Option(
        "--pixel-space", help="Accept scenes without a georeference; results are in pixels (y = -row)."
    ),
]
OutCrs = Annotated[
    str | None, typer.Option(help="CRS of the output. Default: the scene's, EPSG:4326 if they differ.")
]
SecondLook = Annotated[
    bool,
    typer.Option(
        "--second-look", help="Look at every box again, cropped, and mark it supported or contradicted."
    ),
]
Constrained = Annotated[
    bool | None,
    typer.Option(
        "--constrained/--free",
        help="Hold the model to the protocol's grammar while it writes (vLLM only). Default: where it can be.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say how many tiles, what area, how long and how much memory; ask nothing."
    ),
]
Runner = Annotated[
    str,
    typer.Option(
        "--on", help="Where tiles are answered: local (this process) or ray (a Ray cluster, or this machine)."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Of Ray: processes that hold the model. Default: as many as there is room for."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="Of a Ray cluster. Default: RAY_ADDRESS, else a Ray of this machine for as long as it takes."
    ),
]
DedupeScenes = Annotated[
    bool,
    typer.Option("--dedupe-scenes", help="Count once what two overlapping scenes both show."),
]


def check_share(max_failed: float) -> None:
    """Raise UsageError for what is no share of tiles."""
    if not 0 <= max_failed <= 1:
        raise UsageError(f"--max-failed {max_failed:g} is no share. Give 0 to 1, such as 0.005.")


def spread_of(on: str, workers: int | None, address: str | None) -> Spread:
    """Where tiles are answered. Raises UsageError."""
    if on not in ("local", "ray"):
        raise UsageError(f"--on {on!r} is no runner. Give local or ray.")
    if on == "local" and (workers is not None or address is not None):
        raise UsageError("--workers and --ray-address are of Ray. Add --on ray, or leave them out.")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers} is no number of processes. Give 1 or more.")
    return Spread(on, workers, address)


def band_numbers(text: str | None) -> tuple[int, ...] | None:
    """The bands of --bands. Raises UsageError."""
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as err:
        raise UsageError(
            f"--bands {text!r} is not a list of band numbers. Give one or three, 1-based: --bands 4,3,2."
        ) from err
