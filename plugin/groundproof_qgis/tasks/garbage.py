"""Python's garbage collector and very many boxes.

It walks through all objects again and again while new ones are made, and every thread, the GUI's first of all, stands
still while it does: half a second with 50,000 boxes, which have no cycles to be found. So it is held back while they
are made, and does not walk through them afterwards. What nobody refers to is freed without it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY_BOXES = 5_000
"""With fewer the collector takes no time that anybody could see."""
_OBJECTS = 10
"""That the collector looks at in one box, about."""


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Inside, no cycles are looked for. For seconds, not for longer. What only the making needed is let go inside."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] >= MANY_BOXES * _OBJECTS:
            set_aside()
        if was_on:
            gc.enable()


def set_aside() -> None:
    """Walk through nothing that exists now."""
    gc.freeze()


def take_back() -> None:
    """Walk through all of it again: QGIS and its other plugins have objects too, which may have cycles by now."""
    gc.unfreeze()
