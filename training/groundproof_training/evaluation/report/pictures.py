"""The pictures of a report: each once, small, and no more of them than the file may hold. Knows bytes, no cases.

Pictures are untrusted: they are decoded as PNG or JPEG, within limits, and written anew as JPEG.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field

from PIL import Image

LONGEST_SIDE_PX = 448
MOST_PIXELS = 16_000_000
QUALITY = 80


@dataclass(slots=True)
class Pictures:
    """Those that are drawn, in the order of their use. They lie at the end of the page and are referred to by id."""

    _known: dict[str, tuple[str, int, int, int]] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def add(self, content: bytes, rank: int) -> tuple[str, tuple[int, int]] | None:
        """Id and width and height in px of a picture, None for one that cannot be read. rank: the smaller, the sooner
        it is let in."""
        key = hashlib.sha256(content).hexdigest()[:16]
        if key in self._refused:
            return None
        if key not in self._known:
            made = _small(content)
            if made is None:
                self._refused.add(key)
                return None
            self._known[key] = (*made, rank)
        data, width, height, best = self._known[key]
        self._known[key] = (data, width, height, min(best, rank))
        return f"p{key}", (width, height)

    def store(self, room: int) -> tuple[str, int]:
        """SVG definitions of at most that many bytes, and how many pictures were left out of them. Low ranks come
        first, so that every gallery keeps its first pictures."""
        kept, spent = [], 0
        for key, (data, width, height, _) in sorted(self._known.items(), key=lambda one: one[1][3]):
            made = (
                f'<image id="p{key}" width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/>'
            )
            if spent + len(made) <= room:
                kept.append(made)
                spent += len(made)
        if not kept:
            return "", len(self._known)
        return (
            f'<svg class="store" width="0" height="0" aria-hidden="true"><defs>{"".join(kept)}</defs></svg>',
            len(self._known) - len(kept),
        )


def _small(content: bytes) -> tuple[str, int, int] | None:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            picture = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    # a sheet of several images is wide: its height decides
    most = LONGEST_SIDE_PX * min(8, max(1, round(picture.width / max(1, picture.height))))
    picture.thumbnail((most, LONGEST_SIDE_PX))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii"), picture.width, picture.height
