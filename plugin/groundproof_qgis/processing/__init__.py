"""Algorithms of the Processing toolbox."""
