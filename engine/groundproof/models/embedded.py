"""Where the weights that ship with the package lie. Knows no format and loads nothing."""

from __future__ import annotations

from pathlib import Path

import groundproof

EMBEDDED_FOLDER = Path(groundproof.__file__).resolve().parent / "weights" / "tiny"
"""Folder of the embedded model inside the installed package; absent in a checkout without trained weights."""
