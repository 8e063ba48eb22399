"""The plugin's source by rules no test sees: Python 3.9, imports QGIS ships, QGIS's own style rules, Qt 6.

Run: .venv/bin/python scripts/plugin_checks/source.py [FOLDER]     (needs the extra "plugin"; no QGIS)
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import qt6
from tools import flake8

NAME = "groundproof_qgis"
PLUGIN = Path(__file__).resolve().parents[2] / "plugin" / NAME
PYTHON = (3, 9)
"""What the oldest QGIS that is supported brings."""
SHIPPED = {"qgis", "osgeo", "numpy", "processing", "pyplugin_installer"}
"""Importable beside the standard library in every QGIS."""
GENERIC = ("list", "tuple", "dict", "set", "object", "Path", "Callable")


def foreign_imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """Imports of what neither Python nor QGIS ships."""
    allowed = set(sys.stdlib_module_names) | SHIPPED | {NAME}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] not in allowed:
                yield f"{path}:{node.lineno}: {name} is not part of Python or QGIS"


def unions_at_run_time(path: Path, tree: ast.Module) -> Iterator[str]:
    """`int | None` outside annotations, or in annotations that are evaluated: an error before Python 3.10.

    vermin takes the annotations that `from __future__ import annotations` leaves alone for run time.
    """
    later = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    unread: set[ast.AST] = set()
    for node in ast.walk(tree):
        for notes in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(notes, ast.AST) and later:
                unread.update(ast.walk(notes))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)) or node in unread:
            continue
        for side in (node.left, node.right):
            if ast.unparse(side).split("[")[0] in {"None", "int", "float", "str", "bytes", "bool", *GENERIC}:
                yield f"{path}:{node.lineno}: the union {ast.unparse(node)} needs Python 3.10"
                break


def newer_features(plugin: Path) -> Iterator[str]:
    """Modules, functions and run-time expressions that Python 3.9 has not."""
    target = ".".join(map(str, PYTHON))
    vermin = Path(sys.executable).with_name("vermin")  # it has no __main__
    command = [vermin, f"-t={target}-", "--violations", "--no-tips", plugin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        yield from (done.stdout + done.stderr).splitlines()


def main(plugin: Path) -> None:
    """Print what is wrong, one line each; exit 1 when anything is."""
    paths = sorted(plugin.rglob("*.py"))
    wrong: list[str] = []
    for path in paths:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=PYTHON)
        except SyntaxError as error:
            wrong.append(f"{path}:{error.lineno}: {error.msg}")
            continue
        wrong += foreign_imports(path, tree)
        wrong += unions_at_run_time(path, tree)
        wrong += qt6.unknown_names(path, tree)
    wrong += newer_features(plugin)
    wrong += flake8(plugin)
    wrong += qt6.failing_imports(plugin)
    for line in wrong:
        print(line)
    print(
        f"{len(paths)} files: "
        + (
            f"{len(wrong)} findings."
            if wrong
            else "Python 3.9, imports, flake8 with QGIS's rules and PyQt6 agree."
        )
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else PLUGIN)
