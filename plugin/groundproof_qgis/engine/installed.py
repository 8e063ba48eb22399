"""Where the plugin's own engine lies: a folder with a virtual environment, outside QGIS's Python.

Knows files. An environment counts as installed when the stamp beside it names it; the stamp is written last, so what an
installation that was broken off left behind is never started. Environments cannot be moved: each has its final name
from the beginning.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from groundproof_qgis.engine.errors import INVALID, EngineError
from groundproof_qgis.engine.settings import EXTRAS
from groundproof_qgis.i18n_text import tr

STAMP = "installed.json"
PREFIX = "venv-"

_ADDRESSES = ("https://", "http://", "file://")
_SAYS_WHERE = re.compile(r"[A-Za-z0-9][\w.-]*\s*(\[[\w\s,.-]*\])?\s*@\s*(https|http|file)://\S+")
_OUR_NAME = re.compile(r"groundproof(?![\w.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Installed:
    """An installed engine. environment: its folder. source: what pip was given. version: of the engine."""

    environment: Path
    source: str
    version: str

    @property
    def command(self) -> Path:
        """Its `groundproof`."""
        return program(self.environment, "groundproof")


@dataclass(frozen=True)
class EngineFolder:
    """root: holds the stamp and one environment; two while another one is being installed."""

    root: Path

    def installed(self) -> Installed | None:
        """What the stamp names, when it is there."""
        try:
            stamp = json.loads((self.root / STAMP).read_text(encoding="utf-8"))
            found = Installed(self.root / stamp["environment"], str(stamp["source"]), str(stamp["version"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return found if found.command.exists() else None

    def new_environment(self) -> Path:
        """A name that no environment has had."""
        return self.root / f"{PREFIX}{secrets.token_hex(4)}"

    def keep(self, installed: Installed) -> None:
        """Write the stamp. Raises OSError."""
        document = {
            "environment": installed.environment.name,
            "source": installed.source,
            "version": installed.version,
        }
        new = self.root / f"{STAMP}.new"
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(self.root / STAMP)


def program(environment: Path, name: str) -> Path:
    """A program of a virtual environment."""
    return environment / "Scripts" / f"{name}.exe" if os.name == "nt" else environment / "bin" / name


def requirement(source: str) -> str:
    """What pip is given for a wheel file, a URL or a requirement that says where it lies (`name @ URL`).

    Never a bare name: on the public package index "groundproof" belongs to another project, so a name alone would
    install and run a stranger's program. Raises EngineError (invalid).
    """
    words = source.strip()
    if not words:
        sentence = tr(
            "Choose the engine's wheel first: a wheel file made by scripts/package_engine, or an address that begins "
            "with https://."
        )
        raise EngineError(sentence, INVALID)
    if words.startswith(_ADDRESSES):
        return f"groundproof{EXTRAS} @ {words}"
    if _SAYS_WHERE.fullmatch(words):
        return words
    path = Path(words).expanduser()
    if path.exists():
        return f"{path.resolve()}{EXTRAS}"
    if words.endswith(".whl"):
        raise EngineError(tr("There is no file {path}.").format(path=words), INVALID)
    if _OUR_NAME.match(words):
        sentence = tr(
            "On the public package index the name groundproof is another project's, so the engine cannot be installed "
            "by name. Give a wheel file made by scripts/package_engine, or an address that begins with https://."
        )
        raise EngineError(sentence, INVALID)
    sentence = tr(
        "{source} cannot be installed. Give a wheel file made by scripts/package_engine, or an address that begins "
        "with https://."
    )
    raise EngineError(sentence.format(source=words[:200]), INVALID)
