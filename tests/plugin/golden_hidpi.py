"""Golden squares on a canvas of device pixel ratio 2; a process of its own, because Qt decides about it once."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication, QgsProject

from groundproof_qgis.imagery.freeze import freeze
from groundproof_qgis.imagery.place import place_of_canvas
from groundproof_qgis.imagery.what import Seen


def main(folder: str, rotation: str) -> int:
    """0 when the picture has the screen's own pixels and every square in it lies where it should."""
    application = QgsApplication([], True)
    application.initQgis()
    from tests.plugin.golden_scenes import check, pixels_of
    from tests.plugin.test_golden_squares import found_in, raster, shown

    truth = raster(Path(folder), "utm north")
    canvas = shown(truth[0], 32631, float(rotation), zoom=5.5)
    print(f"device pixel ratio {canvas.devicePixelRatioF():g}", flush=True)  # os._exit comes without
    frozen = freeze(Seen(), place_of_canvas(canvas), QgsProject.instance(), canvas)
    logical = canvas.mapSettings().outputSize()
    print(frozen.spec.width, frozen.spec.height, logical.width(), logical.height(), frozen.resolution)
    if (frozen.spec.width, frozen.spec.height) != (2 * logical.width(), 2 * logical.height()):
        return 1
    pixels, _ = pixels_of(frozen.source)
    check(found_in(frozen, pixels, truth), at_least=6 if rotation == "0" else 4)
    return 0
