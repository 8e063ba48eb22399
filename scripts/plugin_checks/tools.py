"""The checkers of plugins.qgis.org as functions: a folder in, findings out, one line each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def _module(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", *words], capture_output=True, text=True, check=False, cwd=cwd
    )


def flake8(folder: Path) -> list[str]:
    """pycodestyle, pyflakes and QGIS's rules (flake8-qgis: qgis.PyQt, scoped enums, no renamed classes)."""
    # E203 and W503 contradict the formatter; 120 is the width of sentences in this repository; QGS2 is experimental
    # and takes every method named setValue for QgsRasterBlock's; QGS105 wants a global where tests give a stand-in.
    done = _module(
        "flake8",
        "--isolated",
        "--max-line-length=120",
        "--extend-ignore=E203,W503,QGS2,QGS105",
        ".",
        cwd=folder,
    )
    if done.returncode > 1 or done.stderr:
        raise RuntimeError(f"flake8 did not run: {done.stderr}")
    return [f"flake8: {line}" for line in done.stdout.splitlines()]


def bandit(folder: Path) -> list[str]:
    """Every finding of bandit, of any severity: the site blocks on them."""
    done = _module("bandit", "-r", "-f", "json", "-q", ".", cwd=folder)
    document = json.loads(done.stdout)
    problems = [f"bandit could not read {e['filename']}: {e['reason']}" for e in document["errors"]]
    return problems + [
        f"bandit: {r['filename']}:{r['line_number']}: {r['test_id']} {r['issue_text']}"
        for r in document["results"]
    ]


def detect_secrets(folder: Path) -> list[str]:
    """Everything that looks like a key or a password."""
    done = _module("detect_secrets", "scan", "--all-files", ".", cwd=folder)
    if done.returncode:
        raise RuntimeError(f"detect-secrets did not run: {done.stderr}")
    found = json.loads(done.stdout)["results"]
    return [
        f"detect-secrets: {name}:{one['line_number']}: {one['type']}"
        for name, rows in found.items()
        for one in rows
    ]
