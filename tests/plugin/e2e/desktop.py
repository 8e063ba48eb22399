"""Starts the QGIS desktop under Xvfb with a profile of its own, and brings back what a scenario found.

    desktop = Desktop(tmp_path)
    found = desktop.run(SCENARIOS, "ask_and_see", zip=str(plugin_zip), raster=str(path))

A scenario is an ordinary function `scenario(driver, **words)` in a file that imports only what QGIS has (no pytest). It
runs on the GUI thread inside QGIS (driver.py) and returns something JSON can hold. The next `run` of the same Desktop
finds the profile as it was left.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

E2E = Path(__file__).resolve().parent
ROOT = E2E.parents[2]
SCREENSHOTS = ROOT / "out" / "e2e"
PATIENCE = float(os.environ.get("GROUNDPROOF_PATIENCE", "1"))
"""Times as long is waited for everything: for computers that do other work meanwhile."""
SETTINGS = """\
[PythonPlugins]
processing=true

[app]
plugin_installer\\checkOnStart=false
settings\\checkOnStart=false

[qgis]
checkVersion=false
askToSaveProjectChanges=false
showTips=false

[locale]
overrideFlag=true
userLocale={language}
globalLocale={language}
"""
"""Of a user who works: no first-run questions, nothing fetched, one language whatever the machine's."""


class DesktopError(AssertionError):
    """The desktop did not do what the scenario says. The message has all there is to know."""


class Desktop:
    """One user's computer: a home, a QGIS profile. folder: empty, kept between runs."""

    def __init__(self, folder: Path, *, language: str = "en_US") -> None:
        self.folder = folder
        self.home = folder / "home"
        self.profile = folder / "profiles" / "t"
        (self.profile / "QGIS").mkdir(parents=True)
        self.home.mkdir()
        (folder / "runtime").mkdir(mode=0o700)
        (folder / "tmp").mkdir()
        (self.profile / "QGIS" / "QGIS3.ini").write_text(SETTINGS.format(language=language))

    def _environment(self, task: Path, errors: Path) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("QT_", "QGIS_", "PYTHON", "GDAL_", "PROJ_", "XDG_", "VIRTUAL_ENV", "PYTEST")
            )
        }
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
            "TMPDIR": str(
                self.folder / "tmp"
            ),  # layers below it are temporary to QGIS, which asks before it leaves
            "PYQGIS_STARTUP": str(E2E / "startup_hook.py"),
            "PYQGIS_ERRLOG": str(errors),
            "GROUNDPROOF_E2E_ROOT": str(ROOT),
            "GROUNDPROOF_E2E_TASK": str(task),
        }

    def run(
        self, file: Path, name: str, *, seconds: float = 120, errors_expected: bool = False, **words: object
    ) -> dict[str, object]:
        """Starts QGIS, runs the scenario `name` of `file`, waits until QGIS is gone; what the scenario returned.

        seconds: after which QGIS is killed, times PATIENCE. words: for the scenario, as JSON. Raises DesktopError when
        the scenario raised, QGIS died or hung, or a Python error was shown anywhere (unless errors_expected).
        """
        seconds *= PATIENCE
        task, result, errors = (self.folder / f"{name}.{what}" for what in ("task", "result", "errors"))
        for old in (result, errors):
            old.unlink(missing_ok=True)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        task.write_text(
            json.dumps(
                {
                    "file": str(file),
                    "name": name,
                    "words": words,
                    "result": str(result),
                    "screenshots": str(SCREENSHOTS),
                    "patience": PATIENCE,
                }
            )
        )
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
        command += ["timeout", "-k", "5", str(seconds), "qgis", "--nologo", "--noversioncheck"]
        command += ["--profiles-path", self.folder, "--profile", "t", "--code", E2E / "start.py"]
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(task, errors),
                cwd=self.home,
                check=False,
                timeout=seconds + 60,
            ).returncode
        found = json.loads(result.read_text()) if result.exists() else None
        shown = errors.read_text() if errors.exists() else ""
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        if found is None:
            raise DesktopError(f"{name}: no result; QGIS ended with {code}.\n{shown}\n{tail}")
        if found["error"]:
            raise DesktopError(
                f"{name}: {found['error']}\n{shown}\n{json.dumps(found['log'][-30:], indent=1)}"
            )
        if shown and not errors_expected:
            raise DesktopError(f"{name}: Python errors were shown:\n{shown}")
        if code:
            raise DesktopError(f"{name}: the scenario passed, but QGIS ended with {code}:\n{tail}")
        found["errors"] = shown
        return found
