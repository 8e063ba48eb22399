"""The plan of a run as rows: every tile and question in reading order, in batches, each with its name.

Knows the columns of scenes.parquet and manifest.parquet. Refuses to know rasters: scenes come planned. Rows are made
as they are written, so that a plan of a million tiles is never in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import shapely
from shapely.geometry import MultiPolygon, Polygon

from groundproof.boxes import Tile
from groundproof.config import RunConfig
from groundproof.datasets import without_secrets
from groundproof.errors import OutsideError, SceneError
from groundproof.manifest import MANIFEST
from groundproof.models.profiles import Profile
from groundproof.planning import ScenePlan, prompt_of
from groundproof.protocol import Prompt
from groundproof.run import LaidOut

_ASKED = pa.schema([field for field in MANIFEST if field.name != "seq"])

SAID_REASONS = 20
"""Scenes named in the error when none can be used."""
ROWS_AT_A_TIME = 4096
"""Tiles whose manifest rows are made together."""


def lay_out(
    config: RunConfig, profile: Profile, found: Iterable[ScenePlan | dict[str, Any]]
) -> Iterator[LaidOut]:
    """What `RunDirectory.create` writes, scene by scene: tiles in reading order, the questions about one tile next
    to each other, in batches that go on from scene to scene.

    Raises SceneError when no scene can be used, OutsideError when the area asked about lies in none.
    """
    prompts = [
        prompt_of(config, profile, question, len(config.scenes) if config.compares_dates else 1)
        for question in config.questions
    ]
    counters = _Counters(config.batch_size, len(prompts))
    failed: list[dict[str, Any]] = []
    planned = False
    for one in found:
        if not isinstance(one, ScenePlan):
            failed.append(one)
            yield LaidOut(one)
            continue
        planned = True
        known = [e.area_m2 for e in one.estimates if e.area_m2 is not None]
        yield LaidOut(
            one.row | {"aois": list(_aois(one, counters, len(prompts)))},
            _tables(config, prompts, one, counters),
            skipped=sum(e.skipped for e in one.estimates) * len(prompts),
            area_m2=sum(known) if known else None,
            memory_bytes=max((e.memory_bytes for e in one.estimates), default=0),
        )
    if not planned:
        if all(row["status"] == "skipped" for row in failed):
            raise OutsideError(failed[0]["reason"])
        said = [f"  {without_secrets(row['path'])}: {row['reason']}" for row in failed[:SAID_REASONS]]
        if len(failed) > SAID_REASONS:
            said.append(f"  and {len(failed) - SAID_REASONS:,} more")
        reasons = "\n".join(said)
        raise SceneError(f"None of the {len(failed)} scenes can be used:\n{reasons}")


def _aois(one: ScenePlan, counters: _Counters, n_questions: int) -> Iterator[dict[str, Any]]:
    first = counters.seq
    for aoi, tile_plan in zip(one.aois, one.plans, strict=True):
        rows = (len(tile_plan.tiles) + len(tile_plan.skipped)) * n_questions
        yield {
            "name": aoi.name,
            "polygon_px": shapely.to_wkb(_multi(aoi.polygon_px)),
            "whole": one.whole,
            "first": first,
            "rows": rows,
        }
        first += rows


class _Counters:
    """What goes on from scene to scene: rows, answers and batches."""

    def __init__(self, batch_size: int, n_questions: int) -> None:
        self.seq = 0
        self._answer = 0
        self._batch = 0
        self._filled = 0
        self._size = batch_size
        self._together = n_questions if n_questions <= batch_size else 1

    def answers(self, count: int) -> list[str]:
        """The next answer ids."""
        first, self._answer = self._answer + 1, self._answer + count
        return [f"A{number}" for number in range(first, first + count)]

    def batch(self, question: int) -> int:
        """The batch of the next row that is asked. All questions about a tile share one, so that its image is
        encoded once, unless they are more than a batch holds."""
        if question % self._together == 0 and self._filled + self._together > self._size:
            self._batch, self._filled = self._batch + 1, 0
        self._filled += 1
        return self._batch


def _tables(
    config: RunConfig, prompts: list[Prompt], scene: ScenePlan, counters: _Counters
) -> Iterator[pa.Table]:
    """The manifest rows of one scene, `seq` left out, some thousands at a time."""
    hashes = [_hash_of(config, scene.content, prompt) for prompt in prompts]
    for tile_plan in scene.plans:
        ids = counters.answers(len(prompts))
        tiles = chain(((t, False) for t in tile_plan.tiles), ((t, True) for t in tile_plan.skipped))
        while some := list(islice(tiles, ROWS_AT_A_TIME)):
            rows = [
                (
                    -1 if skipped else counters.batch(question),
                    _tile_id(hashes[question], tile),
                    ids[question],
                    scene.row["scene"],
                    question,
                    tile.index,
                    tile.window.x0,
                    tile.window.y0,
                    tile.window.width,
                    tile.window.height,
                    tile.model_width,
                    tile.model_height,
                )
                for tile, skipped in some
                for question in range(len(prompts))
            ]
            counters.seq += len(rows)
            yield pa.Table.from_arrays(
                [
                    pa.array(column, kind.type)
                    for column, kind in zip(zip(*rows, strict=True), _ASKED, strict=True)
                ],
                schema=_ASKED,
            )


def _hash_of(config: RunConfig, content_id: str, prompt: Prompt) -> hashlib.blake2b:
    """What all tiles of a scene share under one question: content identity, prompt, model and decoding."""
    parts = (
        content_id,
        config.bands,
        (config.prompt_version, prompt.system, prompt.text),
        (config.model_identity, config.max_new_tokens, config.constrained),
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=12)


def _tile_id(shared: hashlib.blake2b, tile: Tile) -> str:
    """The same work has the same name."""
    window, own = tile.window, shared.copy()
    own.update(
        repr(
            (window.x0, window.y0, window.width, window.height, tile.model_width, tile.model_height)
        ).encode()
    )
    return own.hexdigest()


def _multi(polygon: Polygon | MultiPolygon) -> MultiPolygon:
    return polygon if isinstance(polygon, MultiPolygon) else MultiPolygon([polygon])
