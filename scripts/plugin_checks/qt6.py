"""Whether the plugin would find its Qt in QGIS on Qt 6, without one: PyQt6 from PyPI behind a stand-in for qgis.PyQt.

What it proves: every module imports, and every name that the source takes from Qt, down to the enum's member, exists in
PyQt6. What it cannot: behaviour, and QGIS's own classes, which are stood in for by anything.
"""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

QT = "qgis.PyQt."
MOVED = {"QtWidgets": ("QtGui",), "QtGui": ("QtWidgets",)}
"""Where else qgis.PyQt finds a module's names on Qt 6: QAction and its kin left QtWidgets for QtGui."""


class _Lookup:
    """A module of PyQt6 with the names qgis.PyQt adds to it."""

    def __init__(self, name: str) -> None:
        self._modules = [importlib.import_module(f"PyQt6.{one}") for one in (name, *MOVED.get(name, ()))]

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


def _chain(node: ast.Attribute) -> tuple[str, list[str]] | None:
    """`Qt.ItemDataRole.UserRole` as ("Qt", ["ItemDataRole", "UserRole"]); None when it does not begin with a name."""
    names: list[str] = []
    part: ast.expr = node
    while isinstance(part, ast.Attribute):
        names.append(part.attr)
        part = part.value
    return (part.id, names[::-1]) if isinstance(part, ast.Name) else None


def unknown_names(path: Path, tree: ast.Module) -> Iterator[str]:
    """What is taken from qgis.PyQt and PyQt6 does not have: unscoped enums, renamed classes, removed methods."""
    taken: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "qgis.PyQt":
            taken |= {alias.asname or alias.name: _Lookup(alias.name) for alias in node.names}
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(QT)):
            continue
        module = str(node.module).removeprefix(QT)
        for alias in node.names:
            try:
                taken[alias.asname or alias.name] = getattr(_Lookup(module), alias.name)
            except (AttributeError, ImportError):
                yield f"{path}:{node.lineno}: {alias.name} is not in PyQt6.{module}"
    for node in ast.walk(tree):
        found = _chain(node) if isinstance(node, ast.Attribute) else None
        if found is None or found[0] not in taken:
            continue
        thing = taken[found[0]]
        for i, name in enumerate(found[1]):
            if not hasattr(thing, name):
                yield f"{path}:{node.lineno}: {'.'.join([found[0], *found[1][: i + 1]])} is not in PyQt6"
                break
            thing = getattr(thing, name)


class _Anything:
    """Stands for whatever QGIS has: can be called, combined and asked for any member."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()

    def __call__(self, *_: object, **__: object) -> Any:
        return _Anything()

    def __or__(self, other: object) -> Any:
        return self


def _any_module(name: str) -> types.ModuleType:
    """A module that has every class; below QObject, so that signals and slots of subclasses are bound as in QGIS."""
    from PyQt6.QtCore import QObject

    class AnyMember(type(QObject)):  # type: ignore[misc]
        def __getattr__(cls, member: str) -> Any:
            if member.startswith("__"):
                raise AttributeError(member)
            return _Anything()

    class AnyModule(types.ModuleType):
        def __getattr__(self, member: str) -> Any:
            if member.startswith("__"):
                raise AttributeError(member)
            made = AnyMember(member, (QObject,), {})
            setattr(self, member, made)
            return made

    module = AnyModule(name)
    module.__path__ = []
    return module


def _stand_in() -> None:
    """Puts QGIS and GDAL into this process's modules."""
    for name in ("qgis", "qgis.core", "qgis.gui", "qgis.utils", "osgeo", "processing", "pyplugin_installer"):
        sys.modules[name] = _any_module(name)
    package = types.ModuleType("qgis.PyQt")
    package.__path__ = []
    sys.modules["qgis.PyQt"] = package
    for qt in (
        "QtCore",
        "QtGui",
        "QtWidgets",
        "QtNetwork",
        "QtPrintSupport",
        "QtXml",
        "QtSvg",
        "QtTest",
        "sip",
    ):
        module = types.ModuleType(QT + qt)
        lookup = _Lookup(qt)
        module.__getattr__ = lookup.__getattr__  # type: ignore[method-assign]
        sys.modules[QT + qt] = module
        setattr(package, qt, module)


def failing_imports(plugin: Path) -> list[str]:
    """Imports every module of the folder in a process of its own, in which Qt is PyQt6."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, str(plugin)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    if done.returncode and not done.stdout:
        return [f"PyQt6: {line}" for line in done.stderr.splitlines()[-3:]]
    return done.stdout.splitlines()


def main(plugin: Path) -> None:
    """Prints one line for each module that does not import; exit 1 when there is one."""
    sys.path.insert(0, str(plugin.parent))
    _stand_in()
    failed = False
    for path in sorted(plugin.rglob("*.py")):
        parts = path.relative_to(plugin.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  whatever an import raises is the finding
            failed = True
            print(f"{name} does not import beside PyQt6: {type(error).__name__}: {error}")
    sys.exit(failed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
