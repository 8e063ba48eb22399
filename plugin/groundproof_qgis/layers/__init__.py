"""Layers of the project that show an answer."""
