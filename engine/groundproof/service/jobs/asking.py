"""What `POST /ask` takes, and what the engine's session makes of it.

Knows the words of the request and their engine names. Refuses to know HTTP and models.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import geopandas as gpd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from shapely.errors import ShapelyError
from shapely.geometry import shape

from groundproof.ask_options import AskOptions
from groundproof.config import FollowUp
from groundproof.errors import AoiError
from groundproof.placement import parse_crs
from groundproof.protocol import check_question
from groundproof.protocol.tasks import MAX_QUESTION
from groundproof.run_files import writing

Number = Annotated[float, Field(allow_inf_nan=False)]


TaskName = Literal[
    "auto",
    "count",
    "detect",
    "ground",
    "classify",
    "caption",
    "region-caption",
    "grounded-caption",
    "vqa",
    "change",
]

Aoi = Annotated[
    tuple[Number, Number, Number, Number] | dict[str, Any] | None,
    Field(
        description="Part of the scenes: [x0, y0, x1, y1], or a GeoJSON geometry, Feature or FeatureCollection."
    ),
]
AoiCrs = Annotated[
    str | None,
    Field(
        description="CRS of the aoi (EPSG:code or WKT). Default: the scene's for numbers, EPSG:4326 for GeoJSON."
    ),
]
AoiField = Annotated[
    str | None,
    Field(description="With a FeatureCollection: one answer per feature, named by this property."),
]
TileSide = Annotated[int | None, Field(gt=0, description="Side of a tile in px, as the model sees it.")]
Overlap = Annotated[int | None, Field(ge=0, description="Overlap of neighbouring tiles in px.")]
Gsd = Annotated[float | None, Field(gt=0, description="Resample tiles to this many metres per px.")]


class SceneReference(BaseModel):
    """One scene: sent in pieces before (`id`), or a file or URL that the operator allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = Field(default=None, description="Of a scene made with POST /scenes.")
    path: str | None = Field(
        default=None, description="A raster below one of the folders the operator allows."
    )
    url: str | None = Field(
        default=None, description="A raster below one of the addresses the operator allows."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> SceneReference:
        given = [name for name in ("id", "path", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of id, path and url, got {' and '.join(given) or 'none'}")
        return self


class Context(BaseModel):
    """The earlier answer a question follows up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str = Field(description="The job that gave the earlier answer.")
    answer_id: str = Field(default="A1", description="Which of its answers.")
    evidence: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description='Selected evidence, such as ["E3"]. The question is then asked about its surroundings, '
        "unless it comes with an aoi of its own.",
    )


class AskRequest(BaseModel):
    """One question about one or more scenes. Everything but `question` and `scenes` has a default."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "question": "How many airplanes are there?",
                    "scenes": [{"id": "0123456789abcdef0123456789abcdef"}],
                }
            ]
        },
    )

    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION)]
    scenes: tuple[SceneReference, ...] = Field(
        min_length=1,
        max_length=1000,
        description="Several scenes give one answer each; asked about a change they are dates of one place, the "
        "earliest first.",
    )
    task: TaskName = "auto"
    aoi: Aoi = None
    aoi_crs: AoiCrs = None
    aoi_field: AoiField = None
    bands: tuple[int, ...] | None = Field(default=None, description="Three (or one), 1-based: [4, 3, 2].")
    tile: TileSide = None
    overlap: Overlap = None
    gsd: Gsd = None
    scene_crs: str | None = Field(default=None, description="CRS of scenes whose files name none.")
    pixel_space: bool = Field(default=False, description="Boxes in pixels (y = -row), no sizes.")
    out_crs: str | None = Field(default=None, description="CRS of `geometry`. Default: the scene's.")
    second_look: bool = Field(default=False, description="Look at every box again, close up.")
    constrained: bool | None = Field(
        default=None, description="Hold the model to the protocol's grammar. Default: where it can be."
    )
    context: Context | None = None
    on_disconnect: Literal["continue", "cancel"] = Field(
        default="continue", description="What becomes of the job when the client that waits for it leaves."
    )


def check(request: AskRequest) -> None:
    """Raise UsageError for what pydantic cannot know."""
    check_question(request.question)
    for text, name in (
        (request.aoi_crs, "aoi_crs"),
        (request.scene_crs, "scene_crs"),
        (request.out_crs, "out_crs"),
    ):
        if text is not None:
            parse_crs(text, name)


def options(
    request: AskRequest,
    paths: tuple[str, ...],
    folder: Path,
    model: str,
    follows: Callable[[Context], tuple[FollowUp, Path | None]],
) -> AskOptions:
    """The session's options. paths: what the scenes' references mean. folder: the job's, for the AOI's file.

    follows: the earlier answer and a file with the surroundings of the selected evidence (None: none selected).
    """
    aoi = aoi_option(request, folder / "aoi.fgb")
    earlier = None
    if request.context is not None:
        earlier, around = follows(request.context)
        aoi = aoi or (str(around) if around is not None else None)
    return AskOptions(
        scenes=paths,
        questions=(request.question,),
        task=request.task,
        aoi=aoi,
        aoi_field=request.aoi_field,
        bands=request.bands,
        tile_px=request.tile,
        overlap_px=request.overlap,
        gsd_m=request.gsd,
        model=model,
        scene_crs=request.scene_crs,
        pixel_space=request.pixel_space,
        out_crs=request.out_crs,
        second_look=request.second_look,
        constrained=request.constrained,
        follows=earlier,
    )


class HasAoi(Protocol):
    """A request that may be about part of its scenes; see `AskRequest`."""

    @property
    def aoi(self) -> tuple[float, float, float, float] | dict[str, Any] | None: ...  # noqa: D102
    @property
    def aoi_crs(self) -> str | None: ...  # noqa: D102
    @property
    def pixel_space(self) -> bool: ...  # noqa: D102


def aoi_option(request: HasAoi, file: Path) -> str | None:
    """The engine's word for a request's area; polygons are written to `file`. Raises AoiError."""
    if request.aoi is None:
        return None
    if isinstance(request.aoi, tuple):
        numbers = ",".join(repr(v) for v in request.aoi)
        return numbers if request.aoi_crs is None else f"{numbers},{request.aoi_crs}"
    crs = None if request.pixel_space else request.aoi_crs or "EPSG:4326"
    write_aoi(_features(request.aoi, crs), file)
    return str(file)


def _features(document: dict[str, Any], crs: str | None) -> gpd.GeoDataFrame:
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
    else:
        features = [document if kind == "Feature" else {"type": "Feature", "geometry": document}]
    try:
        rows = [{**(f.get("properties") or {}), "geometry": shape(f["geometry"])} for f in features or ()]
        return gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise AoiError(
            f"The aoi is not GeoJSON that can be read ({err}). Give [x0, y0, x1, y1], or a polygon as a GeoJSON "
            "geometry, Feature or FeatureCollection."
        ) from err


def write_aoi(frame: gpd.GeoDataFrame, file: Path) -> None:
    """Keep areas as a file the engine reads. FlatGeobuf, because it holds any CRS, and none."""
    with writing(file):
        # Its index would order the features by place, and answers come in the order of the request.
        frame.to_file(file, driver="FlatGeobuf", engine="pyogrio", SPATIAL_INDEX="NO")
