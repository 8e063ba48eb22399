"""Where the plugin's code is. Run by QGIS's Python (scripts/test --qgis); without QGIS nothing here is collected."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "plugin"))

collect_ignore_glob = [] if find_spec("qgis") else ["*"]
