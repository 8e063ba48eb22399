"""What the source takes from QGIS exists in the QGIS that runs the tests, and enums are spelt as Qt 6 wants them."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "plugin"
SOURCES = sorted((PLUGIN / "groundproof_qgis").rglob("*.py"))


def chain(node: ast.Attribute) -> tuple[str, list[str]] | None:
    """`QgsTask.Flag.CanCancel` as ("QgsTask", ["Flag", "CanCancel"])."""
    names: list[str] = []
    part: ast.expr = node
    while isinstance(part, ast.Attribute):
        names.append(part.attr)
        part = part.value
    return (part.id, names[::-1]) if isinstance(part, ast.Name) else None


def is_enum(kind: type) -> bool:
    """Whether a type is an enum of the bindings."""
    return issubclass(kind, int) and kind not in (int, bool)


def taken(tree: ast.Module) -> dict[str, Any]:
    """What a module imports from qgis, by the name it uses."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qgis":
            module = importlib.import_module(node.module)
            for alias in node.names:
                found[alias.asname or alias.name] = getattr(module, alias.name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGIN)))
def test_names_of_qgis_exist_and_enums_are_scoped(qgis_app, path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names, wrong = taken(tree), []
    for node in ast.walk(tree):
        found = chain(node) if isinstance(node, ast.Attribute) else None
        if found is None or found[0] not in names or not isinstance(names[found[0]], type):
            continue
        thing = names[found[0]]
        for name in found[1]:
            owner = thing
            if not hasattr(owner, name):
                wrong.append(f"{node.lineno}: {ast.unparse(node)} does not exist")
                break
            thing = getattr(owner, name)
            if is_enum(type(thing)) and owner is not type(thing):
                wrong.append(f"{node.lineno}: {ast.unparse(node)} is {type(thing).__qualname__}.{name}")
    assert not wrong
