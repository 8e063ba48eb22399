"""Where a trainer finds the pictures of samples: the files themselves, or the shown part written beside the output.

Knows windows and paths. Refuses to know formats of training data.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from groundproof_training.samples.types import SampleImage


@dataclass(slots=True)
class Pictures:
    """root: of the samples' paths. out: the file that will name the pictures, relative to its folder.

    A sample that shows a window of its image gets the window as a PNG in the folder OUT_images.
    """

    root: Path
    out: Path
    _written: dict[tuple[str, tuple[int, int, int, int]], str] = field(default_factory=dict)

    def path_of(self, image: SampleImage) -> str:
        """POSIX path, relative to the output's folder. Raises OSError where a window cannot be read or written."""
        if image.window is None:
            return Path(os.path.relpath(self.root / image.path, self.out.parent)).as_posix()
        key = (image.path, image.window)
        if key not in self._written:
            self._written[key] = self._write(image)
        return self._written[key]

    def _write(self, image: SampleImage) -> str:
        from groundproof_training.readers.base import open_shown

        x0, y0, x1, y1 = image.shown
        flat = PurePosixPath(image.path).with_suffix("").as_posix().replace("/", "-")
        name = f"{self.out.stem}_images/{flat}__{x0}_{y0}_{x1}_{y1}.png"
        file = self.out.parent / name
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            open_shown(self.root, image).save(part, "PNG", compress_level=3)
            part.replace(file)
        return name
