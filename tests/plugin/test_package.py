"""The zip that users install: made twice it is the same, and what plugins.qgis.org refuses is found."""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "scripts" / "plugin_checks"
TOOLS = ROOT / ".venv" / "bin" / "python"
"""The environment that holds bandit, detect-secrets and flake8; QGIS's Python has none of them."""


def without_qgis() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QT_", "QGIS_"))
    }


def packaged() -> Path:
    done = subprocess.run(
        [ROOT / "scripts" / "package_plugin"], capture_output=True, text=True, check=False, env=without_qgis()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def built() -> Path:
    return packaged()


def findings(path: Path) -> list[str]:
    done = subprocess.run(
        [TOOLS, CHECKS / "zip_file.py", path], capture_output=True, text=True, check=False, env=without_qgis()
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines() if done.returncode else []


def changed(built: Path, target: Path, files: dict[str, bytes | None]) -> Path:
    """A copy of the zip with some files replaced, added, or (None) left out. Names as in the zip."""
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            if name not in files:
                made.writestr(name, source.read(name))
        for name, data in files.items():
            if data is not None:
                made.writestr(name, data)
    return target


def test_the_same_source_makes_the_same_bytes(built: Path) -> None:
    first = built.read_bytes()
    assert packaged().read_bytes() == first


def test_the_zip_holds_the_plugin_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
        metadata = archive.read("groundproof_qgis/metadata.txt")
        licence = archive.read("groundproof_qgis/LICENSE")
    source = ROOT / "plugin" / "groundproof_qgis"
    modules = {f"groundproof_qgis/{p.relative_to(source).as_posix()}" for p in source.rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    translations = {
        f"groundproof_qgis/{p.relative_to(source).with_suffix('.qm').as_posix()}"
        for p in source.rglob("*.ts")
    }
    assert {name for name in names if name.endswith((".qm", ".ts"))} == translations
    assert metadata == (ROOT / "metadata.txt").read_bytes()
    assert licence == (ROOT / "plugin" / "LICENSE").read_bytes()
    assert built.name == f"groundproof_qgis-{version()}.zip"


def version() -> str:
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    return metadata["general"]["version"]


BAD = {
    "source": {
        "groundproof_qgis/a.py": (
            b'password = "hunter2-hunter2"\n',
            "bandit: ./groundproof_qgis/a.py:1: B105",
        ),
        "groundproof_qgis/b.py": (b'API_KEY = "hunter2-hunter2"\n', "detect-secrets: groundproof_qgis/b.py"),
        "groundproof_qgis/c.py": (b"import os\n\nos.system('ls')\n", "bandit: ./groundproof_qgis/c.py:3"),
        "groundproof_qgis/d.py": (b"def f(d):\n    d.exec_()\n", "QGS107"),
    },
    "files": {
        "groundproof_qgis/x.so": (b"\x7fELF", "x.so is of a kind"),
        "groundproof_qgis/x.txt": (b"\x7fELF\xff\xfe\x00", "x.txt is not UTF-8"),
        "groundproof_qgis/x.png": (b"\x7fELF", "x.png is not what"),
        "groundproof_qgis/.env": (b"A=1\n", ".env is hidden"),
        "groundproof_qgis/__pycache__/x.py": (b"", "__pycache__/x.py is hidden, a cache"),
        "other-folder/x.py": (b"", "2 top folders"),
        "groundproof_qgis/LICENSE": (None, "LICENSE is missing"),
        "groundproof_qgis/metadata.txt": (None, "metadata.txt is missing"),
    },
    "outside": {"groundproof_qgis/../../x.py": (b"", "leads out")},
    "too large": {"groundproof_qgis/x.svg": (os.urandom(13 * 1024 * 1024).hex().encode(), "are allowed")},
}


@pytest.mark.parametrize("what", BAD)
def test_what_the_plugins_site_refuses_is_found(built: Path, tmp_path: Path, what: str) -> None:
    files = BAD[what]
    found = findings(changed(built, tmp_path / built.name, {name: data for name, (data, _) in files.items()}))
    for _, words in files.values():
        assert any(words in line for line in found), (words, found)


BAD_METADATA = {
    "email": ("", "email is missing or empty"),
    "version": ("0.0.9", "is not the engine's"),
    "icon": ("icons/none.svg", "the icon icons/none.svg is not in the zip"),
    "hasProcessingProvider": ("no", "hasProcessingProvider"),
    "qgisMaximumVersion": ("3.99", "qgisMaximumVersion"),
    "qgisMinimumVersion": ("three", "qgisMinimumVersion is not a version"),
    "tracker": ("nowhere", "tracker is not an https address"),
}


def test_metadata_that_the_site_or_qgis_needs_is_checked(built: Path, tmp_path: Path) -> None:
    lines = []
    for line in (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines():
        key = line.split("=")[0]
        lines.append(f"{key}={BAD_METADATA[key][0]}" if key in BAD_METADATA else line)
    text = "\n".join(line for line in lines if not line.startswith("repository="))
    found = findings(changed(built, tmp_path / built.name, {"groundproof_qgis/metadata.txt": text.encode()}))
    for _, words in [*BAD_METADATA.values(), ("", "repository is missing or empty")]:
        assert any(words in line for line in found), (words, found)


def test_the_zip_s_modules_are_python_3_9(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                ast.parse(archive.read(name), name, feature_version=(3, 9))


BAD_SOURCE = {
    "from qgis.PyQt.QtCore import Qt\n\nRED = Qt.red\n": "Qt.red is not in PyQt6",
    "from qgis.PyQt.QtWidgets import QDesktopWidget\n": "QDesktopWidget is not in PyQt6.QtWidgets",
    "import requests\n": "requests is not part of Python or QGIS",
    "OPTIONAL = int | None\n": "needs Python 3.10",
    "import tomllib\n": "tomllib",
    "def f(x):\n    match x:\n        case 1:\n            return 2\n": "Pattern matching",
    "from PyQt5.QtCore import Qt\n": "PyQt5.QtCore is not part of Python or QGIS",
}


@pytest.mark.parametrize("source", BAD_SOURCE)
def test_source_that_an_older_qgis_or_qt_6_cannot_run_is_found(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "groundproof_qgis"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A plugin."""\n\n' + source)
    done = subprocess.run(
        [TOOLS, CHECKS / "source.py", folder], capture_output=True, text=True, check=False, env=without_qgis()
    )
    assert done.returncode == 1, done.stderr
    assert BAD_SOURCE[source] in done.stdout
