"""Which pixels are asked about: what the canvas shows, or one raster layer's own.

Knows choices and their JSON. Refuses to know layers: those are ids and names here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Union


@dataclass(frozen=True)
class Seen:
    """What the map shows. resolution_m: metres per px, None: native to the finest raster, unless the canvas is
    more than four times coarser; then the canvas's own.

    theme: the name of a map theme, None: the layers of the canvas.
    """

    resolution_m: float | None = None
    theme: str | None = None

    def __post_init__(self) -> None:
        _check_resolution(self.resolution_m)


@dataclass(frozen=True)
class LayerPixels:
    """A raster layer's own pixels.

    resolution: metres per px at the place's centre, None: native. bands: 1-based numbers of the layer, as they
    are sent, None: those its style shows as red, green and blue. styled: in the style's colours, not as measured.
    """

    layer_id: str
    resolution: float | None = None
    bands: tuple[int, ...] | None = None
    styled: bool = False

    def __post_init__(self) -> None:
        _check_resolution(self.resolution)
        if self.bands is not None:
            if not self.bands or min(self.bands) < 1:
                raise ValueError(f"bands {list(self.bands)} are not one or more numbers from 1")
            if self.styled:
                raise ValueError("bands are chosen, or the style's colours, not both")


Pixels = Union[Seen, LayerPixels]


def to_json(choice: Pixels) -> dict[str, Any]:
    """The choice as JSON values, with its kind."""
    return {"pixels": "seen" if isinstance(choice, Seen) else "layer", **asdict(choice)}


def from_json(document: dict[str, Any]) -> Pixels:
    """The choice that `to_json` wrote. Raises ValueError for anything else."""
    values = {name: value for name, value in document.items() if name != "pixels"}
    try:
        if document.get("pixels") == "seen":
            return Seen(**values)
        if document.get("pixels") == "layer":
            bands = values.pop("bands", None)
            return LayerPixels(bands=None if bands is None else tuple(bands), **values)
    except TypeError as err:
        raise ValueError(f"{document!r} is no choice of pixels: {err}") from err
    raise ValueError(f"{document!r} is no choice of pixels: 'pixels' is neither 'seen' nor 'layer'")


def _check_resolution(metres: float | None) -> None:
    if metres is not None and not 0 < metres < float("inf"):
        raise ValueError(f"a resolution of {metres} m per px is not above 0")
