"""A result in memory, read in chunks as one on disk would be."""

from __future__ import annotations

import pandas as pd
import pytest

from groundproof import tables
from groundproof.tables import TABLES
from tests.engine import outputs_samples as samples


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_chunks_put_together_are_the_table(monkeypatch, rows):
    monkeypatch.setattr(tables, "CHUNK_ROWS", rows)
    result = samples.result(7)
    for name in TABLES:
        whole = getattr(result, name)
        chunks = list(result.frames(name))
        assert result.count(name) == len(whole)
        assert all(0 < len(chunk) <= rows for chunk in chunks)
        assert all(chunk.crs == result.crs for chunk in chunks)
        pd.testing.assert_frame_equal(pd.concat(chunks), whole)


def test_an_empty_table_has_no_chunks_and_a_strange_name_is_an_error():
    result = samples.empty()
    assert list(result.frames("tiles")) == []
    assert result.count("tiles") == 0
    with pytest.raises(KeyError):
        result.count("clouds")
