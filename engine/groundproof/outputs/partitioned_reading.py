"""A folder of GeoParquet files back as `Tables`, a chunk of rows at a time.

Knows what `partitioned.py` writes. Refuses folders that are something else, saying what is missing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from groundproof.errors import UsageError
from groundproof.outputs.arrow import schema
from groundproof.outputs.decoding import frame
from groundproof.outputs.geoparquet import GEO_KEY, METADATA_KEY
from groundproof.outputs.partitioned import is_partitioned, parts
from groundproof.tables import CHUNK_ROWS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd


class PartitionedTables:
    """The `Tables` in a folder that `write_partitioned` made, as Arrow batches too (`arrow.Stored`).

    Raises UsageError for other folders, and for files of it that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in TABLES if not (folder / name).is_dir() or not parts(folder, name)]
        if missing or not is_partitioned(folder):
            lacks = f": it has no files of {', '.join(missing)}" if missing else ""
            raise UsageError(
                f"{folder} is not a result of groundproof{lacks}. Give a folder or a GeoPackage that groundproof wrote."
            )
        self._folder = folder
        kept = pq.read_metadata(parts(folder, "evidence")[0]).metadata
        geo = json.loads(kept[GEO_KEY])["columns"]["geometry"]
        self.crs: CRS | None = None if geo["crs"] is None else CRS.from_json_dict(geo["crs"])
        self.metadata: dict[str, Any] = json.loads(kept[METADATA_KEY])

    def count(self, name: str) -> int:
        """How many rows the table has."""
        return sum(pq.read_metadata(path).num_rows for path in self._parts(name))

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        """The table as Arrow batches."""
        target = schema(name, lists=True)
        for path in self._parts(name):
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(CHUNK_ROWS, columns=target.names):
                        yield batch.select(target.names).cast(target)
            except (pa.ArrowException, OSError, KeyError) as err:
                raise UsageError(f"{path} cannot be read as a table of groundproof: {err}.") from err

    def frames(self, name: str) -> Iterator[gpd.GeoDataFrame]:
        """The table's rows in order, see `tables.Tables`."""
        start = 0
        for batch in self.batches(name):
            yield frame(name, batch, self.crs, where=str(self._folder), start=start)
            start += batch.num_rows

    def _parts(self, name: str) -> list[Path]:
        if name not in TABLES:
            raise KeyError(name)
        return parts(self._folder, name)
