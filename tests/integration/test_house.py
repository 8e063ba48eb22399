"""Things that must agree across the repository."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from groundproof.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_plugin_and_the_engine_show_one_version() -> None:
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "metadata.txt")
    assert metadata["general"]["version"] == __version__


def test_the_core_imports_neither_torch_nor_a_web_framework() -> None:
    core = "scene tiling reading protocol trace georeference merge audit synthesis outputs"
    imports = "; ".join(f"import groundproof.{module}" for module in core.split())
    code = f"import sys; {imports}; print(sorted({{'torch', 'transformers', 'fastapi'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_engine_never_imports_the_training_package() -> None:
    for path in (ROOT / "engine").rglob("*.py"):
        assert "groundproof_training" not in re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL), path


@pytest.mark.parametrize(
    "script", ["demo", "test", "bench", "package_engine", "package_plugin", "qgis_elsewhere"]
)
def test_every_script_explains_itself(script: str) -> None:
    done = subprocess.run([ROOT / "scripts" / script, "--help"], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) >= 1
    assert "set -euo" not in done.stdout


def test_links_in_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
