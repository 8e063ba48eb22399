"""Makes the plugin's zip: code, metadata, licence, icons, help, compiled translations. Same source, same bytes.

Run: .venv/bin/python scripts/plugin_checks/build_zip.py     (needs lrelease; prints the zip's path)
"""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugin" / "groundproof_qgis"
SHIPPED = {".py", ".svg", ".tif", ".png", ".html", ".css", ".qml", ".json", ".txt"}
NOT_SHIPPED = {".ts", ".pyc"}
"""Sources of translations, and what Python leaves behind."""
MADE_AT = (1980, 1, 1, 0, 0, 0)
"""A zip's earliest time: that of the build would make every zip another one."""


def translated(source: Path) -> bytes:
    """A .ts file as Qt's binary .qm. Raises CalledProcessError with lrelease's words."""
    target = ROOT / "dist" / source.with_suffix(".qm").name
    subprocess.run(  # noqa: S603
        ["lrelease", "-silent", "-removeidentical", source, "-qm", target],  # noqa: S607
        check=True,
        stdout=sys.stderr,
    )
    data = target.read_bytes()
    target.unlink()
    return data


def contents() -> Iterator[tuple[str, bytes]]:
    """Name inside the plugin's folder, and bytes. Raises ValueError for a kind of file nobody said to ship."""
    yield "metadata.txt", (ROOT / "metadata.txt").read_bytes()
    yield "LICENSE", (ROOT / "plugin" / "LICENSE").read_bytes()
    for path in sorted(PLUGIN.rglob("*")):
        name = path.relative_to(PLUGIN).as_posix()
        if path.is_dir() or path.suffix == ".pyc":
            continue
        if path.suffix == ".ts":
            yield name.removesuffix(".ts") + ".qm", translated(path)
        elif path.suffix in SHIPPED:
            yield name, path.read_bytes()
        else:
            raise ValueError(
                f"{path}: files of this kind are not shipped; allowed are {', '.join(sorted(SHIPPED))}"
            )


def main() -> None:
    """Write dist/groundproof_qgis-VERSION.zip and print its path."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    target = ROOT / "dist" / f"{PLUGIN.name}-{metadata['general']['version']}.zip"
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name, data in sorted(contents()):
            entry = zipfile.ZipInfo(f"{PLUGIN.name}/{name}", MADE_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever built it: the mode below is kept
            entry.external_attr = 0o100644 << 16
            made.writestr(entry, data)
    unfinished.replace(target)
    print(target)


if __name__ == "__main__":
    main()
