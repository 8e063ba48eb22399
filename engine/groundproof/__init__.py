"""groundproof: ask imagery a question and check the answer.

import groundproof
answer = groundproof.ask("harbour.tif", "How many storage tanks are there?")
answer.value, answer.evidence       # 17, a GeoDataFrame of boxes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundproof.version import __version__

if TYPE_CHECKING:
    from groundproof.asking import Answer, ask

__all__ = ["Answer", "__version__", "ask"]


def __getattr__(name: str) -> Any:
    """`ask` and `Answer` pull in GDAL and GeoPandas: only when they are wanted."""
    if name in ("ask", "Answer"):
        from groundproof import asking

        return getattr(asking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
