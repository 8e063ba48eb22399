"""Versions of the packages that train."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from groundproof.version import __version__


def packages() -> dict[str, str]:
    """Versions of what trains; cells of one table have the same."""
    made = {"groundproof": __version__}
    for name in ("torch", "transformers", "trl"):
        try:
            made[name] = version(name)
        except PackageNotFoundError:
            made[name] = "not installed"
    return made
