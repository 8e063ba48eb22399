"""groundproof in QGIS: ask the map, see the evidence, keep it.

Knows how QGIS starts a plugin. Everything else is in `plugin.py` and the packages beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qgis.gui import QgisInterface

    from groundproof_qgis.plugin import GroundproofPlugin


def classFactory(iface: QgisInterface) -> GroundproofPlugin:  # noqa: N802 - QGIS's name
    """What QGIS calls to make the plugin."""
    from groundproof_qgis.plugin import GroundproofPlugin

    return GroundproofPlugin(iface)
