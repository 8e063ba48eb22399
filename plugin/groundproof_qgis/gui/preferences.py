"""What a person set for the dock itself: when to ask back, where results are kept.

Knows QGIS's settings. Refuses to know the engine's, which are `engine.settings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsSettings

GROUP = "groundproof/dock"
CONFIRM_TILES = 500
"""About five minutes with the embedded model."""
MAX_TILES = 1_000_000


@dataclass(frozen=True)
class Preferences:
    """confirm_tiles: from so many tiles on the dock asks back. results_folder: "" keeps results beside the project."""

    confirm_tiles: int = CONFIRM_TILES
    results_folder: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.confirm_tiles <= MAX_TILES:
            raise ValueError(f"confirm_tiles is {self.confirm_tiles}; 1 to {MAX_TILES} are allowed")


def load() -> Preferences:
    """As kept; a value that makes no sense is the default."""
    kept = QgsSettings()
    words = str(kept.value(f"{GROUP}/confirm_tiles", CONFIRM_TILES))
    tiles = int(words) if words.isascii() and words.isdigit() else CONFIRM_TILES
    folder = str(kept.value(f"{GROUP}/results_folder", "") or "")
    return Preferences(tiles if 1 <= tiles <= MAX_TILES else CONFIRM_TILES, folder)


def save(preferences: Preferences) -> None:
    """Keep."""
    kept = QgsSettings()
    kept.setValue(f"{GROUP}/confirm_tiles", preferences.confirm_tiles)
    kept.setValue(f"{GROUP}/results_folder", preferences.results_folder)
