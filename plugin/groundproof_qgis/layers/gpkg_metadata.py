"""What a result's GeoPackage says of how it was made: the JSON documents of its table gpkg_metadata.

Knows that table. Refuses to know what the documents mean.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any


def documents(connection: sqlite3.Connection) -> Iterator[tuple[int, dict[str, Any]]]:
    """Id and content of those that are JSON objects."""
    for key, text in connection.execute("SELECT id, metadata FROM gpkg_metadata").fetchall():
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield key, found


def put(connection: sqlite3.Connection, key: int, document: Mapping[str, Any]) -> None:
    """Replace one."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    connection.execute("UPDATE gpkg_metadata SET metadata = ? WHERE id = ?", (text, key))
