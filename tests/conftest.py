"""Fixtures every test may use, and the rule about skips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run of CI, so that a change and not chance turns it red; elsewhere new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

ROOT = Path(__file__).resolve().parents[1]

EXPECTED_SKIPS = (
    "needs a GPU",
    "QGIS is not installed",
    "needs root",
    "chromium is not installed",
    "gdal-bin is not installed",
    "this QGIS ends the threads of its tasks itself",  # before 3.40; tests/plugin/test_at_end.py
)
"""Reasons that may skip a test even where the real imagery is present."""

_unexpected: list[str] = []


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real imagery beside the checkout; tests that need it skip, with this reason, where it is absent."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("real imagery (../shared/data) is not beside this checkout")
    return path


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note each skip whose reason is not on the list."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(expected in reason for expected in EXPECTED_SKIPS):
            _unexpected.append(f"{report.nodeid}: {reason}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Whole modules that skip themselves (importorskip) count too."""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(expected in reason for expected in EXPECTED_SKIPS):
            _unexpected.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With the real imagery present (CI says so), an unexpected skip fails the run."""
    if os.environ.get("GROUNDPROOF_EXPECT_DATA") == "1" and _unexpected and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nUnexpected skips (real imagery is present, so these should have run):")
        print("\n".join(f"  {line}" for line in _unexpected))
