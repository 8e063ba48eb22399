"""What was made of an image, kept for the next request that holds the same array. Knows identity, not content."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class KnownImages(Generic[T]):
    """Several questions about one tile come one after the other with the very same array.

    Identity and not content decides: it costs nothing to compare, and which requests share is then decided by
    how a batch was put together and by nothing else. most: how many images are kept, the last used ones; None:
    all. An image that is kept is held, so that its identity is not given to another one. For one thread.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._found: OrderedDict[int, tuple[NDArray[Any], T]] = OrderedDict()

    def of(self, image: NDArray[np.uint8], make: Callable[[NDArray[np.uint8]], T]) -> T:
        """What was made of this very array, or what `make` makes of it now; what it raises is not kept."""
        if id(image) not in self._found:
            self._found[id(image)] = (image, make(image))
            if self._most is not None and len(self._found) > self._most:
                self._found.popitem(last=False)
        self._found.move_to_end(id(image))
        return self._found[id(image)][1]
