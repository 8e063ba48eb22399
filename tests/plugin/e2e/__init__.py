"""The real QGIS desktop, without a screen, driven as a person would drive it."""
