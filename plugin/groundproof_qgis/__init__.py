"""groundproof in QGIS: ask the map, see the evidence, keep it.

Knows how QGIS starts a plugin. Everything else is in `plugin.py` and the packages beside it.
"""
