"""`groundproof batch`: one or several questions over many scenes.

Knows options and help texts. Decides nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundproof.batch import options_for, result_of, run_batch
from groundproof.cli_options import (
    AoiField,
    AoiText,
    Bands,
    Constrained,
    DedupeScenes,
    DryRun,
    Fresh,
    Gsd,
    Json,
    Model,
    OutCrs,
    Overlap,
    PixelSpace,
    Quiet,
    RayAddress,
    Runner,
    SceneCrs,
    SecondLook,
    Summary,
    Task,
    TileSide,
    Workers,
    band_numbers,
    check_share,
    spread_of,
)
from groundproof.errors import UsageError
from groundproof.scene_lists import find_scenes
from groundproof.session import Session
from groundproof.shell import print_estimate, resumable, said_as_sentences, show_batch
from groundproof.terminal import BatchTerminal


def batch(
    scenes: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENES...",
            help="Rasters (files, URLs), folders, globs in quotes ('scenes/*.tif'), lists (.txt; .csv with the columns "
            "scene, aoi, datetime), STAC items (.json or a search URL), GDAL raster tile indexes.",
        ),
    ],
    question: Annotated[
        list[str],
        typer.Option("-q", "--question", help="What you want to know. Several: each tile is read once."),
    ],
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Where answers are kept while they come in. Default: OUT.run beside the output."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="What to write: .gpkg, .parquet, .geojson, or a folder (a GeoParquet dataset in parts, for many "
            "millions of rows). Default: beside the run directory, under its name.",
        ),
    ] = None,
    task: Task = "auto",
    aoi: AoiText = None,
    aoi_field: AoiField = None,
    asset: Annotated[str | None, typer.Option(help="Of STAC items: the key of the asset to look at.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many scenes.")] = None,
    sample: Annotated[
        int | None, typer.Option(help="Only so many scenes, picked by their names: the same ones every time.")
    ] = None,
    max_failed: Annotated[
        float,
        typer.Option(
            help="Share of tiles that may fail before the batch stops with exit code 5: 0.005. 1: it never stops."
        ),
    ] = 1.0,
    dedupe_scenes: DedupeScenes = False,
    on: Runner = "local",
    workers: Workers = None,
    ray_address: RayAddress = None,
    bands: Bands = None,
    tile: TileSide = None,
    overlap: Overlap = None,
    gsd: Gsd = None,
    model: Model = "tiny",
    fresh: Fresh = False,
    summary: Summary = None,
    json_: Json = False,
    quiet: Quiet = False,
    scene_crs: SceneCrs = None,
    pixel_space: PixelSpace = False,
    out_crs: OutCrs = None,
    second_look: SecondLook = False,
    constrained: Constrained = None,
    dry_run: DryRun = False,
) -> None:
    """Ask questions of many scenes. Kill it at any moment: the same command goes on where it was.

    Bad scenes do not stop it: each is a row of the table `scenes` with its reason, and the exit code is 5.
    """
    terminal = BatchTerminal(quiet=quiet, json_output=json_)
    with said_as_sentences(terminal):
        if out is None and run_dir is None and not dry_run:
            raise UsageError("Say where results go: --run-dir DIR, -o OUT.gpkg, or both.")
        check_share(max_failed)
        target = out or result_of(run_dir or Path())
        directory = run_dir or target.parent / f"{target.stem}.run"
        spread = spread_of(on, workers, ray_address)
        listed = find_scenes(scenes, limit=limit, sample=sample, asset=asset)
        for sentence in listed.notes:
            terminal.note(sentence)
        options = options_for(
            listed,
            question,
            task=task,
            aoi=aoi,
            aoi_field=aoi_field,
            bands=band_numbers(bands),
            tile_px=tile,
            overlap_px=overlap,
            gsd_m=gsd,
            model=model,
            scene_crs=scene_crs,
            pixel_space=pixel_space,
            out_crs=out_crs,
            second_look=second_look,
            constrained=constrained,
            max_failed=max_failed,
            dedupe_scenes=dedupe_scenes,
        )
        with Session(options, terminal, spread=spread) as session:
            if dry_run:
                print_estimate(session.estimate(), terminal, json_)
                return
            outputs = [] if target == result_of(directory) else ["-o", str(target)]
            outputs += ["--summary", str(summary)] if summary else []
            with resumable(terminal, directory, outputs):
                made = run_batch(session, directory, target, fresh=fresh, summary=summary, lists=scenes)
            show_batch(made, terminal, json_=json_)
