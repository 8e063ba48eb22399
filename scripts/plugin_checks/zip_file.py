"""Proves on the plugin's zip what plugins.qgis.org checks on upload, and that its version is the engine's.

Run: .venv/bin/python scripts/plugin_checks/zip_file.py dist/groundproof_qgis-0.1.0.zip
Sources: https://plugins.qgis.org/docs/publish and qgis/QGIS-Plugins-Website (validator.py, security scan).
"""

from __future__ import annotations

import configparser
import re
import runpy
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tools import bandit, detect_secrets, flake8

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 25 * 1024 * 1024
REQUIRED = (
    "name",
    "description",
    "about",
    "version",
    "qgisMinimumVersion",
    "author",
    "email",
    "tracker",
    "repository",
)
OURS = {"qgisMaximumVersion": "4.99", "hasProcessingProvider": "yes"}
"""Metadata the plugin does not work without."""
TEXT = {".py", ".txt", ".svg", ".html", ".css", ".qml", ".json", ""}
PICTURES = {".png": b"\x89PNG\r\n", ".tif": b"II*\0", ".qm": bytes.fromhex("3cb86418caef9c95")}
"""What need not be text, and how such files begin."""


def wrong_names(names: list[str], size: int) -> Iterator[str]:
    """The one folder, its files, and what must not be among them. size: of the zip, bytes."""
    if size > MAX_BYTES:
        yield f"the zip has {size} bytes; up to {MAX_BYTES} are allowed"
    if len(set(names)) != len(names):
        yield "a file is in the zip twice"
    tops = {PurePosixPath(name).parts[0] for name in names}
    if len(tops) != 1:
        yield f"the zip has {len(tops)} top folders ({', '.join(sorted(tops))}); one is allowed"
    for top in tops:
        if not top.isidentifier() or not top.isascii():
            yield f"the folder {top} is not a name Python can import"
        for needed in ("__init__.py", "metadata.txt", "LICENSE"):
            if f"{top}/{needed}" not in names:
                yield f"{top}/{needed} is missing"
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            yield f"{name} leads out of the plugin's folder"
        if any(part.startswith(".") or part in ("__MACOSX", "__pycache__", "tests") for part in path.parts):
            yield f"{name} is hidden, a cache or a test"
        if path.suffix not in TEXT | set(PICTURES):
            yield f"{name} is of a kind that is not shipped"


def wrong_contents(name: str, data: bytes) -> Iterator[str]:
    """Binaries under an innocent name."""
    suffix = PurePosixPath(name).suffix
    if suffix in PICTURES:
        if not data.startswith(PICTURES[suffix]):
            yield f"{name} is not what its name says"
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        yield f"{name} is not UTF-8 text"


def wrong_metadata(text: str, names: list[str]) -> Iterator[str]:
    """What metadata.txt must say. names: of the files beside it, without the folder."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        yield f"metadata.txt cannot be read: {error}"
        return
    general = dict(parser["general"]) if parser.has_section("general") else {}
    for key in REQUIRED:
        if not general.get(key, "").strip():
            yield f"metadata.txt: {key} is missing or empty"
    for key, value in OURS.items():
        if general.get(key) != value:
            yield f"metadata.txt: {key} is {general.get(key)!r}, and must be {value!r}"
    engine = runpy.run_path(str(ROOT / "engine" / "groundproof" / "version.py"))["__version__"]
    if general.get("version") != engine:
        yield f"metadata.txt: version {general.get('version')} is not the engine's, {engine}"
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", general.get("qgisMinimumVersion", "")):
        yield "metadata.txt: qgisMinimumVersion is not a version such as 3.22"
    if general.get("icon") not in names:
        yield f"metadata.txt: the icon {general.get('icon')} is not in the zip"
    for key in ("tracker", "repository", "homepage"):
        if not general.get(key, "").startswith("https://"):
            yield f"metadata.txt: {key} is not an https address"
    if "@" not in general.get("email", ""):
        yield "metadata.txt: email is not an address"


def findings(path: Path) -> list[str]:
    """All that is wrong with a zip, one line each."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        found = list(wrong_names(names, path.stat().st_size))
        for name in names:
            found += wrong_contents(name, archive.read(name))
        top = PurePosixPath(names[0]).parts[0]
        inside = [name.removeprefix(f"{top}/") for name in names]
        if "metadata.txt" in inside:
            found += wrong_metadata(archive.read(f"{top}/metadata.txt").decode("utf-8"), inside)
        if any("leads out" in line for line in found):
            return found
        with tempfile.TemporaryDirectory() as folder:
            archive.extractall(folder)
            for checker in (flake8, bandit, detect_secrets):
                found += checker(Path(folder))
    return found


def main(path: Path) -> None:
    """Print what is wrong, one line each; exit 1 when anything is."""
    found = findings(path)
    for line in found:
        print(line)
    if found:
        sys.exit(f"{path.name}: {len(found)} findings; plugins.qgis.org would refuse it or show them.")
    with zipfile.ZipFile(path) as archive:
        print(
            f"{path.name}: {len(archive.namelist())} files, {path.stat().st_size / 1024:.0f} KB; "
            "names, metadata, flake8, bandit and detect-secrets have nothing to say."
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
