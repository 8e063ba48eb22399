"""One stretch per scene: from the file's numbers to 8-bit colours, the same for all its tiles.

Knows brightness. Refuses to know windows of a model, and CRS. A stretch per tile would change colours
across tile borders and turn a tile of calm water into noise; so it is measured once, from a bounded,
decimated, masked sample of the whole scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from rasterio.errors import RasterioError

from groundproof.boxes import Window
from groundproof.datasets import short
from groundproof.errors import SceneError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundproof.bands import RawPixels
    from groundproof.scene import Scene

FILL = 128
"""Grey put where a pixel is invalid or outside the scene: mid-grey is nearest to no signal for models that
normalise around their mean, and looks neither like water nor like cloud."""
LOW_PERCENT, HIGH_PERCENT = 2.0, 98.0
SAMPLE_SIDE_PX = 1024
"""A decimated read of the scene has at most this side."""
WHOLE_READ_PX = 16 * 2**20
"""Scenes without overviews are decimated as a whole up to this many pixels; beyond, blocks are sampled."""
ENOUGH_PX = 20_000
"""Valid pixels that make percentiles steady; fewer ask for another, denser round of samples."""
FIRST_GRID, ROUNDS = 8, 4
"""Samples lie on an 8 x 8 grid of places, then 16 x 16, ... for scenes that are mostly nodata."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """How numbers become 0..255. One (low, high) per band, linear, clipped.

    limits: None shows 8-bit colours as they are. sampled_px: valid pixels it was measured on; 0 means
    that the sample held no valid pixel.
    """

    limits: tuple[tuple[float, float], ...] | None
    sampled_px: int

    def to_rgb(self, raw: RawPixels, out: NDArray[np.uint8]) -> None:
        """Write colours of `raw` into `out`, uint8 (height, width, 3); invalid pixels become `FILL`."""
        for band, values in enumerate(raw.values):
            shown = values if self.limits is None else _stretched(values, *self.limits[band])
            if raw.valid is not None:
                shown = np.where(raw.valid, shown, np.uint8(FILL))
            # Plane by plane: five times faster than one transposed or masked copy of all three.
            for channel in (band,) if len(raw.values) == 3 else (0, 1, 2):
                out[..., channel] = shown


def measure_stretch(scene: Scene) -> Stretch:
    """The one stretch of a scene: 2nd to 98th percentile per band over valid, finite pixels.

    8-bit colours (three bands or a colour table) are shown as they are. Uses overviews when there are
    any; otherwise a bounded number of blocks spread over the scene.

    Raises:
        SceneError: when not one sampled block can be read.
    """
    if scene.bands.is_display_rgb:
        return Stretch(None, 0)
    best = [np.empty(0) for _ in scene.bands.indexes]
    n_valid = -1
    failure: RasterioError | None = None
    for windows in _rounds(scene):
        parts, n_here, err = _measured(scene, windows)
        failure = failure or err
        if parts is not None and n_here > n_valid:
            best, n_valid = parts, n_here
        everything = err is None and len(windows) == 1 and windows[0][1] == (scene.width, scene.height)
        if n_valid >= ENOUGH_PX or everything:
            break
    if n_valid < 0:
        raise SceneError(
            f"{short(scene.path)} opens, but none of its pixels can be read: {failure}. "
            "Copy or download it again."
        ) from failure
    return Stretch(tuple(_limits(values) for values in best), n_valid)


def _measured(
    scene: Scene, windows: list[tuple[Window, tuple[int, int]]]
) -> tuple[list[NDArray[np.float64]] | None, int, RasterioError | None]:
    """Valid values per band of one round, how many pixels, and the first failure; None: nothing was read."""
    parts: list[list[NDArray[np.float64]]] = [[] for _ in scene.bands.indexes]
    n_valid = n_read = 0
    failure: RasterioError | None = None
    for window, size in windows:
        try:
            raw = scene.read(window, size, smooth=False)
        except RasterioError as err:  # a damaged block: its tiles will say so; others still count
            failure = failure or err
            continue
        n_read += 1
        n_valid += _collect(raw, parts)
    return ([np.concatenate(p) for p in parts] if n_read else None), n_valid, failure


def _collect(raw: RawPixels, parts: list[list[NDArray[np.float64]]]) -> int:
    """Add the valid, finite values of each band; the number of valid pixels."""
    valid = np.ones(raw.values.shape[1:], dtype=bool) if raw.valid is None else raw.valid
    for band, values in enumerate(raw.values):
        picked = values[valid].astype(np.float64)
        parts[band].append(picked[np.isfinite(picked)])
    return int(valid.sum())


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, (LOW_PERCENT, HIGH_PERCENT)))
    if low == high:  # a few bright targets on an even ground
        low, high = float(values.min()), float(values.max())
    if low == high:  # an even scene is shown in mid-grey
        step = max(abs(low) * 1e-6, 0.5)
        low, high = low - step, high + step
    return low, high


def _rounds(scene: Scene) -> list[list[tuple[Window, tuple[int, int]]]]:
    """Rounds of (window, decimated size) to read, each denser than the one before."""
    width, height = scene.width, scene.height
    factors = scene.dataset().overviews(scene.bands.indexes[0])
    coarsest = max(factors, default=1)
    if (width / coarsest) * (height / coarsest) <= WHOLE_READ_PX:
        whole = Window(0, 0, width, height)
        full = [(whole, _decimated(width, height, SAMPLE_SIDE_PX))]
        if coarsest > 1 or width * height <= SAMPLE_SIDE_PX**2:
            return [full, _samples(scene, FIRST_GRID)]
        return [full, *(_samples(scene, FIRST_GRID * 2**i) for i in range(ROUNDS - 1))]
    return [_samples(scene, FIRST_GRID * 2**i) for i in range(ROUNDS)]


def _decimated(width: int, height: int, side: int) -> tuple[int, int]:
    factor = max(width / side, height / side, 1.0)
    return max(1, round(width / factor)), max(1, round(height / factor))


def _samples(scene: Scene, grid: int) -> list[tuple[Window, tuple[int, int]]]:
    """Windows that follow the file's blocks: strips across a striped file, blocks of a tiled one."""
    width, height = scene.width, scene.height
    block_w = min(max(scene.layout.block_width, 1), width)
    block_h = min(max(scene.layout.block_height, 1), height)
    windows = []
    if scene.layout.striped:
        strip_h = min(max(block_h, 8), 256, height)
        for y in _spread(height, strip_h, 2 * grid):
            window = Window(0, y, width, strip_h)
            windows.append((window, (min(width, SAMPLE_SIDE_PX), min(strip_h, 8))))
        return windows
    side_w, side_h = min(block_w, 256), min(block_h, 256)
    for y in _spread(height, side_h, grid):
        for x in _spread(width, side_w, grid):
            x0 = min(x // block_w * block_w, width - side_w)
            y0 = min(y // block_h * block_h, height - side_h)
            windows.append((Window(x0, y0, side_w, side_h), _decimated(side_w, side_h, 64)))
    return list(dict.fromkeys(windows))


def _spread(length: int, part: int, count: int) -> list[int]:
    """Starts of at most `count` parts, evenly spread over a length, the ends included."""
    last = max(length - part, 0)
    count = max(1, min(count, last // part + 1))
    return sorted({round(i * last / max(count - 1, 1)) for i in range(count)})


def _stretched(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    if values.dtype.itemsize <= 2 and np.issubdtype(values.dtype, np.integer):
        bits = np.dtype(f"u{values.dtype.itemsize}")
        return np.take(_table(values.dtype.str, low, high), values.view(bits))
    return _linear(values, low, high)


@lru_cache(maxsize=16)
def _table(dtype: str, low: float, high: float) -> NDArray[np.uint8]:
    """All answers for a dtype of one or two bytes, by its bit pattern: five times faster than arithmetic."""
    kind = np.dtype(dtype)
    patterns = np.arange(2 ** (8 * kind.itemsize), dtype=f"u{kind.itemsize}")
    return _linear(patterns.view(kind), low, high)


def _linear(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """255 * (value - low) / (high - low), rounded, clipped; NaN (one band's gap) becomes 0."""
    scaled = (values.astype(np.float64, copy=False) - low) * (255.0 / (high - low)) + 0.5
    return np.nan_to_num(np.clip(scaled, 0.0, 255.0), nan=0.0).astype(np.uint8)
