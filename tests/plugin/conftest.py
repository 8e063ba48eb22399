"""Where the plugin's code is. Run by QGIS's Python (scripts/test --qgis); without QGIS nothing here is collected."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAS_QGIS = find_spec("qgis") is not None
sys.path.insert(0, str(ROOT / "plugin"))

collect_ignore_glob = [] if HAS_QGIS else ["*"]

_sessions: list[pytest.Session] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember whose exit status is the process's."""
    _sessions.append(session)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process here, with the tests' result.

    Layers and replies of hundreds of tests are still alive, and QGIS 3.22 crashes when Python takes them down in an
    order of its own after everything was reported. That a real QGIS ends cleanly is tested in the desktop (e2e).
    """
    if HAS_QGIS and _sessions:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(_sessions[0].exitstatus))
