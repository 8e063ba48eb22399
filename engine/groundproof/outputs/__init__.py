"""Results as files people open: GeoPackage, GeoParquet, GeoJSON, a summary table and a picture (`picture.py`).

Knows formats. Refuses to know models, and computes nothing: a file is a pure function of a result's `Tables`.
"""

from groundproof.outputs.decoding import gather
from groundproof.outputs.reading import read, read_table
from groundproof.outputs.spool import Spool
from groundproof.outputs.stac import write_stac
from groundproof.outputs.summary import write_summary
from groundproof.outputs.writing import SUFFIXES, check, write

__all__ = [
    "SUFFIXES",
    "Spool",
    "check",
    "gather",
    "read",
    "read_table",
    "write",
    "write_stac",
    "write_summary",
]
