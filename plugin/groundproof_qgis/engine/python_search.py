"""A Python that the engine can be installed with: 3.11 or newer, not QGIS's own.

Knows where Pythons usually are. Refuses to install anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from qgis.PyQt.QtCore import QObject, pyqtSignal

from groundproof_qgis.engine.command import Command
from groundproof_qgis.i18n_text import tr

MINIMUM = (3, 11)
VERSIONS = ("3.13", "3.12", "3.11")
"""Tried by name, best first; a newer one is taken when it is all there is."""
NEWER = ("3.14", "3.15")
LIMIT_S = 15.0
"""For one Python to say who it is; the Windows Store's stand-in says nothing for long."""

_SCRIPT = (
    "import importlib.util as u, json, sys; "
    "print(json.dumps({'version': list(sys.version_info[:2]), 'path': sys.executable, "
    "'venv': all(u.find_spec(n) for n in ('venv', 'ensurepip'))}))"
)


@dataclass(frozen=True)
class Python:
    """path: of the interpreter. version: such as (3, 12). makes_environments: whether venv and ensurepip are there."""

    path: str
    version: tuple[int, int]
    makes_environments: bool

    @property
    def fits(self) -> bool:
        """Whether the engine can be installed with it."""
        return self.version >= MINIMUM and self.makes_environments


def candidates(
    chosen: str,
    platform: str,
    environment: Mapping[str, str],
    own_prefix: str,
    find: Callable[[str], str | None],
    exists: Callable[[str], bool],
) -> list[tuple[str, ...]]:
    """Commands worth trying, best first, each once.

    chosen: the person's, from the settings; then nothing else is tried. platform: as sys.platform. own_prefix: where
    QGIS's Python is; on Windows and macOS those inside are left out, because QGIS's installer replaces them. find: a
    program's path by its name (shutil.which).
    """
    if chosen:
        return [(chosen,)]
    found: list[tuple[str, ...]] = []
    if platform == "win32" and (launcher := find("py")):
        found += [(launcher, f"-{version}") for version in (*VERSIONS, *NEWER)]
    places = _windows(environment) if platform == "win32" else _mac() if platform == "darwin" else []
    found += [(path,) for path in places if exists(path)]
    names = [f"python{version}" for version in VERSIONS] + ["python3", "python"]
    names += [f"python{version}" for version in NEWER]
    found += [(path,) for path in map(find, names) if path]
    if platform in ("win32", "darwin"):
        found = [words for words in found if not _inside(words[0], own_prefix, platform)]
    return list(dict.fromkeys(found))


def _windows(environment: Mapping[str, str]) -> list[str]:
    local = environment.get("LOCALAPPDATA")
    roots = [PureWindowsPath(local) / "Programs" / "Python"] if local else []
    roots += [PureWindowsPath(environment[name]) for name in ("PROGRAMFILES",) if name in environment]
    folders = [f"Python{version.replace('.', '')}" for version in (*VERSIONS, *NEWER)]
    return [str(root / folder / "python.exe") for root in roots for folder in folders]


def _mac() -> list[str]:
    framework = PurePosixPath("/Library/Frameworks/Python.framework/Versions")
    numbered = [str(framework / version / "bin" / "python3") for version in (*VERSIONS, *NEWER)]
    brewed = [
        f"{folder}/python{v}"
        for folder in ("/opt/homebrew/bin", "/usr/local/bin")
        for v in (*VERSIONS, *NEWER)
    ]
    return numbered + brewed


def _inside(path: str, prefix: str, platform: str) -> bool:
    kind = PureWindowsPath if platform == "win32" else PurePosixPath
    return kind(prefix) in kind(path).parents


def advice(platform: str, seen: Sequence[Python]) -> str:
    """What to do when no Python fits. seen: those that answered."""
    old = [python for python in seen if python.version < MINIMUM]
    bare = next((p for p in seen if p.version >= MINIMUM and not p.makes_environments), None)
    if bare is not None:
        version = "{}.{}".format(*bare.version)
        sentence = tr(
            "Python {version} at {path} cannot make environments. Install what it lacks (on Debian and Ubuntu: sudo "
            "apt install python{version}-venv), then try again."
        )
        return sentence.format(version=version, path=bare.path)
    had = ", ".join("{}.{}".format(*python.version) for python in old) or tr("none")
    first = tr("The engine needs Python 3.11 or newer; found: {versions}.").format(versions=had)
    if platform == "win32":
        how = tr(
            "Install Python 3.12 from https://www.python.org/downloads (for you alone is enough), then try again."
        )
    elif platform == "darwin":
        how = tr("Install Python 3.12 from https://www.python.org/downloads, then try again.")
    else:
        how = tr(
            "Install one with your system's package manager (on Debian and Ubuntu: sudo apt install python3.12 "
            "python3.12-venv), or choose one in the settings, then try again."
        )
    return f"{first} {how}"


class PythonSearch(QObject):
    """Tries candidates one after another, without waiting.

    found: the first one that fits. none: what to do, when none does.
    """

    found = pyqtSignal(object)
    none = pyqtSignal(str)

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        platform: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._left = [list(words) for words in commands]
        self._environment = environment
        self._platform = platform
        self._seen: list[Python] = []
        self._command: Command | None = None
        self._stopped = False

    def start(self) -> None:
        """Try the first, and so on."""
        if self._stopped:
            return
        if not self._left:
            self.none.emit(advice(self._platform, self._seen))
            return
        words = self._left.pop(0)
        self._command = Command([*words, "-I", "-c", _SCRIPT], self._environment, self, LIMIT_S)
        self._command.ended.connect(self._answered)
        self._command.start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._stopped = True
        if self._command is not None:
            self._command.kill()

    def _answered(self, worked: bool) -> None:
        python = read_answer(self._command.last_line) if worked and self._command is not None else None
        if python is not None:
            self._seen.append(python)
            if python.fits and not self._stopped:
                self.found.emit(python)
                return
        self.start()


def read_answer(line: str) -> Python | None:
    """What a Python said of itself; None for what is no Python."""
    try:
        said = json.loads(line)
        major, minor = said["version"]
        return Python(str(said["path"]), (int(major), int(minor)), bool(said["venv"]))
    except (ValueError, KeyError, TypeError):
        return None
