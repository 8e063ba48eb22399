"""Polygons as clients send them: GeoJSON geometries in the CRS of a result, checked before anything is done.

Knows GeoJSON's shape and its limits here. Refuses to know what a polygon is of.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from shapely.errors import ShapelyError
from shapely.geometry import MultiPolygon, Polygon

from groundproof.service.jobs.asking import Number

Position = Annotated[list[Number], Field(min_length=2, max_length=3)]
Ring = Annotated[list[Position], Field(min_length=4, max_length=10_000)]
Rings = Annotated[list[Ring], Field(min_length=1, max_length=1_000)]


class Outline(BaseModel):
    """A GeoJSON Polygon in the result's CRS, x first (in pixel space y is minus the row)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["Polygon"]
    coordinates: Rings

    def shape(self) -> Polygon:
        """The polygon, heights left out. Raises ShapelyError, ValueError."""
        return _polygon(self.coordinates)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            self.shape()
        except (ShapelyError, ValueError) as err:
            raise ValueError(f"the polygon cannot be read: {err}") from err
        return self


class PolygonDocument(Outline):
    """An `Outline` around an object: it has an inside."""

    @model_validator(mode="after")
    def _has_an_inside(self) -> Self:
        polygon = self.shape()
        if not polygon.is_valid:
            raise ValueError(
                "the polygon crosses or touches itself; draw it again with edges that do not meet"
            )
        if not polygon.area > 0:
            raise ValueError("the polygon has no area; draw it around the object")
        return self


class MultiOutline(BaseModel):
    """A GeoJSON MultiPolygon in the result's CRS, as `Outline`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            self.shape()
        except (ShapelyError, ValueError) as err:
            raise ValueError(f"the polygon cannot be read: {err}") from err
        return self

    def shape(self) -> MultiPolygon:
        """The polygons, heights left out. Raises ShapelyError, ValueError."""
        return MultiPolygon([_polygon(rings) for rings in self.coordinates])


def _polygon(rings: list[list[list[float]]]) -> Polygon:
    flat = [[position[:2] for position in ring] for ring in rings]
    return Polygon(flat[0], flat[1:])
