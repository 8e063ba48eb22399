"""This plugin's version, from its metadata.

Knows where metadata.txt lies: inside the installed plugin, or at the root of a checkout.
"""

from __future__ import annotations

from configparser import ConfigParser
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = "metadata.txt"


@lru_cache(maxsize=1)
def plugin_version() -> str:
    """Such as 0.1.0. Raises FileNotFoundError for a plugin that was copied in part."""
    for folder in (PACKAGE, PACKAGE.parents[1]):
        if (folder / NAME).is_file():
            metadata = ConfigParser(interpolation=None)
            metadata.read(folder / NAME, encoding="utf-8")
            return metadata.get("general", "version")
    raise FileNotFoundError(f"{PACKAGE / NAME} is missing. Install the plugin again.")
