"""Installing the engine on this computer, in steps that QGIS never waits for.

Knows Python, venv and pip. Refuses to ask for consent: whoever starts it has it.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable

from qgis.core import QgsNetworkAccessManager
from qgis.PyQt.QtCore import QObject, QUrl, pyqtSignal
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from groundproof_qgis.engine.clean_environment import clean_environment, with_proxy
from groundproof_qgis.engine.command import Command
from groundproof_qgis.engine.installed import PREFIX, EngineFolder, Installed, program, requirement
from groundproof_qgis.engine.python_search import Python, PythonSearch, candidates
from groundproof_qgis.i18n_text import tr

CPU_TORCH = ("torch==2.13.0+cpu", "--extra-index-url", "https://download.pytorch.org/whl/cpu")
"""On Linux PyPI's torch brings CUDA with it (several GB); without such a card the one of a tenth of that is enough."""

_PIP = ("-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off")

_TOLD = ("Collecting ", "Downloading ", "Processing ", "Installing ", "Building ", "Successfully ")
"""How lines of pip begin that a person who waits wants to see."""

_CLEAN = (
    "import pathlib, shutil, sys; root, prefix, *kept = sys.argv[1:]; "
    "[shutil.rmtree(p) for p in pathlib.Path(root).glob(prefix + '*') if p.name not in kept]"
)
"""Removes environments that no stamp names; in a program of its own, because thousands of files take a while."""

_IS_OURS = (
    "from importlib.metadata import version; from groundproof.service.settings import API_VERSION; "
    "print(API_VERSION, version('groundproof'))"
)
"""Other distributions have the engine's name; only the engine has this module."""


class Installation(QObject):
    """One installation. said: a line of progress. ended: whether it worked, and a sentence; exactly once."""

    said = pyqtSignal(str)
    ended = pyqtSignal(bool, str)

    def __init__(
        self, folder: EngineFolder, source: str, python: str = "", parent: QObject | None = None
    ) -> None:
        """source, python: as in EngineSettings. Raises EngineError (invalid) for a source that is none."""
        super().__init__(parent)
        self._folder = folder
        self._source = source
        self._requirement = requirement(source)
        self._environment = _with_qgis_proxy(clean_environment(os.environ))
        self._target = folder.new_environment()
        self._version = ""
        self._cancelled = False
        self._over = False
        self._command: Command | None = None
        commands = candidates(
            python, sys.platform, self._environment, sys.base_prefix, shutil.which, os.path.exists
        )
        self._search = PythonSearch(commands, self._environment, sys.platform, self)
        self._search.found.connect(self._have_python)
        self._search.none.connect(lambda sentence: self._end(False, sentence))

    def start(self) -> None:
        """Begin."""
        self.said.emit(tr("Looking for Python 3.11 or newer."))
        self._search.start()

    def cancel(self) -> None:
        """Break it off; what was made is removed, then `ended` comes."""
        if self._over or self._cancelled:
            return
        self._cancelled = True
        if self._command is None:
            self._search.stop()
            self._end(False, _cancelled())
        else:
            self._command.kill()

    def abandon(self, milliseconds: int) -> None:
        """At QGIS's end: kill, wait a little. What was made is removed by the next installation."""
        self.blockSignals(True)
        self._cancelled = self._over = True
        self._search.stop()
        if self._command is not None:
            self._command.blockSignals(True)
            self._command.kill()
            self._command.wait(milliseconds)

    def _have_python(self, python: Python) -> None:
        try:
            self._folder.root.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            self._end(False, tr("The engine's folder cannot be made: {why}.").format(why=err))
            return
        inside = str(program(self._target, "python"))
        self._python = python.path
        install = [inside, *_PIP]
        steps: list[tuple[str, list[str], bool]] = [
            (tr("Making an environment with {python}.").format(python=python.path), self._clean(), False),
            ("", [python.path, "-I", "-m", "venv", str(self._target)], True),
        ]
        if wants_cpu_torch(sys.platform, platform.machine(), shutil.which("nvidia-smi")):
            step = [*install, "--retries", "1", *CPU_TORCH]
            steps.append((tr("Installing PyTorch (about 200 MB)."), step, False))
        steps += [
            (tr("Installing the engine."), [*install, self._requirement], True),
        ]
        self._next(steps, lambda: self._check([inside, "-I", "-c", _IS_OURS]))

    def _next(self, steps: list[tuple[str, list[str], bool]], then: Callable[[], None]) -> None:
        """Do the first step, the others, then this. Each: a sentence, a command, whether it must work."""
        if not steps:
            then()
            return
        (sentence, words, needed), *others = steps
        if sentence:
            self.said.emit(sentence)
        command = self._run(words, lambda worked: self._done(worked or not needed, others, then))
        command.said.connect(self._say)
        self._command = command
        command.start()

    def _say(self, line: str) -> None:
        if line.startswith(_TOLD):
            self.said.emit(line)

    def _run(self, words: list[str], then: Callable[[bool], None]) -> Command:
        command = Command(words, self._environment, self)
        command.ended.connect(then)
        command.ended.connect(command.deleteLater)
        return command

    def _done(
        self, worked: bool, others: list[tuple[str, list[str], bool]], then: Callable[[], None]
    ) -> None:
        lines = self._command.lines if self._command is not None else []
        if self._cancelled:
            self._clean_up(_cancelled())
        elif not worked:
            sentence = tr(
                "The engine could not be installed: {why} Check the network and QGIS's proxy, or choose a wheel file "
                "in the settings."
            )
            self._clean_up(sentence.format(why=reason(lines)))
        else:
            self._next(others, then)

    def _check(self, words: list[str]) -> None:
        """Whether what pip installed is the engine; before the stamp, so that nothing else is ever started."""
        command = self._run(words, lambda worked: self._checked(worked, command.last_line))
        self._command = command
        command.start()

    def _checked(self, worked: bool, said: str) -> None:
        api, _, version = said.partition(" ")
        if self._cancelled:
            self._clean_up(_cancelled())
        elif not (worked and api and version):
            self._clean_up(tr("What was installed is not the groundproof engine; it was removed."))
        else:
            self._version = version
            self._installed()

    def _installed(self) -> None:
        try:
            self._folder.keep(Installed(self._target, self._source, self._version))
        except OSError as err:
            self._clean_up(tr("The installation cannot be kept: {why}.").format(why=err))
            return
        sentence = tr("The engine, version {version}, is installed.").format(version=self._version)
        self._clean_up(sentence, worked=True)

    def _clean_up(self, sentence: str, worked: bool = False) -> None:
        """Remove environments without a stamp, then end. What stays is removed by the next installation."""
        self._command = self._run(self._clean(kept_now=True), lambda _: self._end(worked, sentence))
        self._command.start()

    def _clean(self, kept_now: bool = False) -> list[str]:
        installed = self._folder.installed()
        kept = [] if installed is None else [installed.environment.name]
        if not kept_now:
            kept.append(self._target.name)
        return [self._python, "-I", "-c", _CLEAN, str(self._folder.root), PREFIX, *kept]

    def _end(self, worked: bool, sentence: str) -> None:
        if not self._over:
            self._over = True
            self.ended.emit(worked, sentence)


def wants_cpu_torch(system: str, machine: str, nvidia_smi: str | None) -> bool:
    """Whether PyTorch without CUDA is to be looked for first."""
    return system.startswith("linux") and machine in ("x86_64", "aarch64") and nvidia_smi is None


def reason(lines: list[str]) -> str:
    """The line of pip's output that says why, as a sentence."""
    errors = [line for line in lines if line.startswith(("ERROR:", "error:", "Error:"))]
    why = (errors or lines or [tr("it said nothing")])[-1]
    why = why.partition(":")[2].strip() if errors else why
    return why if why.endswith(".") else f"{why}."


def _cancelled() -> str:
    return tr("The installation was cancelled; what it had made is removed.")


def _with_qgis_proxy(environment: dict[str, str]) -> dict[str, str]:
    """With the proxy that QGIS would use for PyPI."""
    manager = QgsNetworkAccessManager.instance()
    if manager.useSystemProxy():
        found = QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl("https://pypi.org/simple/")))
        proxy = found[0] if found else QNetworkProxy()
    else:
        proxy = manager.fallbackProxy()
    kinds = (QNetworkProxy.ProxyType.HttpProxy, QNetworkProxy.ProxyType.HttpCachingProxy)
    if proxy.type() not in kinds or not proxy.hostName():
        return environment
    return with_proxy(environment, proxy.hostName(), proxy.port(), proxy.user() or None, proxy.password())
