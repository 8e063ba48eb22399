"""Rows of a data frame as Python objects. Knows pandas; refuses to know which table it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def named_rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows as named tuples, typed `Any`: pandas' stubs give every cell the union of all scalars."""
    return iter(frame.itertuples())
