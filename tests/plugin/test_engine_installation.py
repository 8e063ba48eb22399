"""Finding Python and installing an engine: real pip, a small wheel in place of the large one."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from groundproof_qgis.engine import installation
from groundproof_qgis.engine.child import last_sentence
from groundproof_qgis.engine.clean_environment import clean_environment
from groundproof_qgis.engine.command import Command, readable, split_command
from groundproof_qgis.engine.data_folder import DataFolder
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.installed import EngineFolder, Installed, program, requirement
from groundproof_qgis.engine.local import ABSENT, DEAD, INSTALLING, READY, STOPPED, LocalEngine
from groundproof_qgis.engine.python_search import Python, PythonSearch, advice, candidates, read_answer
from groundproof_qgis.engine.settings import EngineSettings
from tests.plugin.engine_pixels import ROOT
from tests.plugin.engine_waiting import until

REAL = ROOT / ".venv" / "bin" / "groundproof"
needs_engine = pytest.mark.skipif(
    not REAL.exists(), reason="the engine is not installed; run scripts/demo once"
)


OURS = {
    "groundproof/__init__.py": "",
    "groundproof/service/__init__.py": "",
    "groundproof/service/settings.py": 'API_VERSION = "1"\n',
}


def small_wheel(folder: Path, body: str, package: dict[str, str] = OURS) -> Path:
    """A distribution of the engine's name whose `groundproof` does this."""
    path = folder / "groundproof-9.8.7-py3-none-any.whl"
    info = "groundproof-9.8.7.dist-info"
    files = {
        **package,
        "groundproof_small.py": f"import os, sys\n\ndef main():\n    {body}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: groundproof\nVersion: 9.8.7\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngroundproof = groundproof_small:main\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    return path


@pytest.fixture(autouse=True)
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small wheel needs none."""
    monkeypatch.setattr(installation, "wants_cpu_torch", lambda *_: False)


@needs_engine
def test_an_engine_is_installed_from_a_wheel_and_started(qgis_app, tmp_path: Path) -> None:
    wheel = small_wheel(tmp_path, f"os.execv({str(REAL)!r}, ['groundproof', *sys.argv[1:]])")
    home = tmp_path / "data of a user"
    engine = LocalEngine(home, EngineSettings)
    said: list[str] = []
    engine.said.connect(said.append)
    assert engine.state == ABSENT
    leftover = home / "engine" / "venv-leftover"
    leftover.mkdir(parents=True)
    try:
        engine.install(str(wheel))
        assert engine.state == INSTALLING
        until(lambda: engine.state in (READY, DEAD, ABSENT), 150)
        assert engine.state == READY, engine.sentence
    finally:
        engine.shut_down()
    assert any(line.startswith("Installing collected packages: groundproof") for line in said)
    assert not leftover.exists()
    installed = EngineFolder(home / "engine").installed()
    assert installed is not None
    assert (installed.version, installed.source) == ("9.8.7", str(wheel))
    assert LocalEngine(home, EngineSettings).state == STOPPED


def test_an_installation_that_is_cancelled_leaves_nothing(qgis_app, tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "u", EngineSettings)
    engine.install(str(small_wheel(tmp_path, "pass")))
    folder = tmp_path / "u" / "engine"
    until(lambda: folder.exists() and list(folder.glob("venv-*")))
    engine.cancel_install()
    until(lambda: engine.state != INSTALLING)
    assert (engine.state, engine.sentence) == (
        ABSENT,
        "The installation was cancelled; what it had made is removed.",
    )
    assert not list(folder.iterdir())
    engine.shut_down()


def test_an_update_that_fails_keeps_the_engine_that_works(qgis_app, tmp_path: Path) -> None:
    folder = EngineFolder(tmp_path / "u" / "engine")
    kept = Installed(folder.root / "venv-old", "old", "0.0.1")
    kept.command.parent.mkdir(parents=True)
    kept.command.touch()
    folder.keep(kept)
    broken = tmp_path / "groundproof-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    engine = LocalEngine(tmp_path / "u", EngineSettings)
    assert engine.state == STOPPED
    engine.install(str(broken))
    until(lambda: engine.state != INSTALLING, 60)
    assert engine.state == STOPPED
    assert engine.sentence.startswith("The engine could not be installed: ")
    assert "Wheel" in engine.sentence
    assert folder.installed() == kept
    assert [path.name for path in folder.root.glob("venv-*")] == ["venv-old"]
    engine.shut_down()


def test_an_environment_without_a_stamp_is_not_an_engine(tmp_path: Path) -> None:
    folder = EngineFolder(tmp_path)
    assert folder.installed() is None
    made = Installed(tmp_path / "venv-1", "s", "1")
    program(made.environment, "groundproof").parent.mkdir(parents=True)
    program(made.environment, "groundproof").touch()
    assert folder.installed() is None
    folder.keep(made)
    assert folder.installed() == made
    made.command.unlink()
    assert folder.installed() is None
    (tmp_path / "installed.json").write_text('["half')
    assert folder.installed() is None


def test_what_pip_is_given(tmp_path: Path) -> None:
    wheel = tmp_path / "g.whl"
    wheel.touch()
    assert requirement(str(wheel)) == f"{wheel}[torch,serve]"
    assert requirement(" https://x.example/g.whl ") == "groundproof[torch,serve] @ https://x.example/g.whl"
    named = "groundproof[torch,serve] @ https://x.example/g.whl"
    assert requirement(named) == named
    for wrong in (
        *("--index-url=https://evil.example", str(tmp_path / "none.whl"), "ground-proof", "other[x]>=1"),
        *("groundproof @ --index-url", "groundproof @ https://x.example/g.whl --pre"),
    ):
        with pytest.raises(EngineError):
            requirement(wrong)


@pytest.mark.parametrize("bare", ["groundproof", "groundproof[torch,serve]==0.1.0", "GroundProof >= 1"])
def test_a_name_alone_is_never_installed_because_it_is_another_projects(bare: str) -> None:
    with pytest.raises(EngineError, match="another project's") as refused:
        requirement(bare)
    assert refused.value.kind == "invalid"


def test_nothing_is_installed_without_a_choice(qgis_app, tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "u", EngineSettings)
    with pytest.raises(EngineError, match="Choose the engine's wheel first") as refused:
        engine.install("")
    assert (refused.value.kind, engine.state) == ("invalid", ABSENT)
    assert not (tmp_path / "u" / "engine").exists()
    engine.shut_down()


def test_another_project_of_the_engines_name_is_removed_and_never_started(qgis_app, tmp_path: Path) -> None:
    started = tmp_path / "started"
    stranger = small_wheel(tmp_path, f"open({str(started)!r}, 'w')", {"groundproof/__init__.py": ""})
    engine = LocalEngine(tmp_path / "u", EngineSettings)
    engine.install(str(stranger))
    until(lambda: engine.state != INSTALLING, 60)
    assert (engine.state, engine.sentence) == (
        ABSENT,
        "What was installed is not the groundproof engine; it was removed.",
    )
    assert EngineFolder(tmp_path / "u" / "engine").installed() is None
    assert not list((tmp_path / "u" / "engine").glob("venv-*"))
    assert not started.exists()
    engine.shut_down()


def test_the_reason_of_pip_is_the_sentence() -> None:
    lines = [
        "Looking in indexes: x",
        "ERROR: No matching distribution found for groundproof==9",
        "[notice] A new pip",
    ]
    assert installation.reason(lines) == "No matching distribution found for groundproof==9."


def test_pythons_are_tried_in_order_and_each_once() -> None:
    found = {"python3.12": "/usr/bin/python3.12", "python3": "/usr/bin/python3.12", "python": "/opt/python"}
    commands = candidates("", "linux", {}, "/usr", found.get, lambda _: True)
    assert commands == [("/usr/bin/python3.12",), ("/opt/python",)]
    assert candidates("/my/python", "linux", {}, "/usr", found.get, lambda _: True) == [("/my/python",)]


def test_on_windows_qgis_own_python_is_left_out() -> None:
    own = r"C:\Program Files\QGIS 3.40\apps\Python312"
    found = {"py": r"C:\Windows\py.exe", "python": own + r"\python.exe"}
    there = r"C:\Users\me\AppData\Local\Programs\Python\Python311\python.exe"
    environment = {"LOCALAPPDATA": r"C:\Users\me\AppData\Local"}
    commands = candidates("", "win32", environment, own, found.get, lambda path: path == there)
    assert commands[0] == (r"C:\Windows\py.exe", "-3.13")
    assert (there,) in commands
    assert not [words for words in commands if words[0].startswith(own)]


def test_on_a_mac_the_installers_places_are_tried() -> None:
    there = "/Library/Frameworks/Python.framework/Versions/3.12/bin/python3"
    assert candidates("", "darwin", {}, "/Applications/QGIS.app", {}.get, lambda path: path == there) == [
        (there,)
    ]


def test_the_advice_names_what_is_missing() -> None:
    old, bare = Python("/usr/bin/python3", (3, 9), True), Python("/usr/bin/python3.12", (3, 12), False)
    assert "found: 3.9" in advice("linux", [old])
    assert "python3.12-venv" in advice("linux", [old, bare])
    assert "python.org" in advice("win32", [])


def test_a_program_that_is_no_python_is_passed_over(qgis_app, tmp_path: Path) -> None:
    impostor = tmp_path / "python3.13"
    impostor.write_text("#!/bin/sh\necho hello\n")
    impostor.chmod(0o755)
    commands = [(str(tmp_path / "nothing"),), (str(impostor),), (sys.executable,)]
    search = PythonSearch(commands, clean_environment(os.environ), "linux")
    found: list[Python] = []
    sentences: list[str] = []
    search.found.connect(found.append)
    search.none.connect(sentences.append)
    search.start()
    until(lambda: found or sentences)
    assert found
    assert found[0].version == sys.version_info[:2]
    assert read_answer("[1, 2]") is None


def test_a_command_that_takes_too_long_is_ended(qgis_app) -> None:
    command = Command(
        [sys.executable, "-c", "import time; time.sleep(60)"], clean_environment(os.environ), None, 0.2
    )
    ended: list[bool] = []
    command.ended.connect(ended.append)
    command.start()
    until(lambda: ended)
    assert ended == [False]


def test_lines_are_read_as_a_person_sees_them() -> None:
    assert readable("\x1b[31m\u2502 No such option: --x \u2502\x1b[0m".encode()) == "No such option: --x"
    assert readable(b"10 %\r50 %\r100 %") == "100 %"
    log = '{"level": "error", "message": "The disk is full."}'
    assert last_sentence(["A sentence.", log, '{"cut']) == "The disk is full."


def test_a_command_is_one_path_or_words(tmp_path: Path) -> None:
    there = tmp_path / "with a space"
    there.touch()
    assert split_command(str(there)) == [str(there)]
    assert split_command("python -m 'ground proof'") == ["python", "-m", "ground proof"]
    assert split_command("'half") == ["'half"]


def test_two_qgis_at_a_time_use_two_folders_and_one_alone_the_first(tmp_path: Path) -> None:
    one, other = DataFolder(tmp_path), DataFolder(tmp_path)
    assert (one.path.name, other.path.name) == ("data-1", "data-2")
    one.release()
    again = DataFolder(tmp_path)
    assert again.path.name == "data-1"
    for folder in (again, other):
        folder.release()


def test_an_engine_that_cannot_start_says_why(qgis_app, tmp_path: Path) -> None:
    script = tmp_path / "groundproof"
    script.write_text("#!/bin/sh\necho 'The service needs more packages.' >&2\nexit 2\n")
    script.chmod(0o755)
    engine = LocalEngine(tmp_path / "u", lambda: EngineSettings(command=str(script)))
    engine.start()
    until(lambda: engine.state == DEAD)
    assert engine.sentence == (
        "The engine on this computer has ended: The service needs more packages. Start it again; questions go on."
    )
    with pytest.raises(EngineError) as gone:
        engine.address()
    assert gone.value.kind == "unreachable"
    missing = LocalEngine(tmp_path / "v", lambda: EngineSettings(command=f"'{tmp_path}/no such engine' --x"))
    missing.start()
    until(lambda: missing.state == DEAD)
    assert "cannot be started" in missing.sentence
    engine.shut_down()
    missing.shut_down()


def test_an_engine_waits_for_an_earlier_one_to_let_go_of_its_folder(qgis_app, tmp_path: Path) -> None:
    script = tmp_path / "groundproof"
    script.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/once ] && echo 'Out of memory.' >&2 && exit 1\ntouch {tmp_path}/once\n"
        "echo 'Another process is working on /data. Wait for it, or stop it.' >&2\nexit 2\n"
    )
    script.chmod(0o755)
    engine = LocalEngine(tmp_path / "u", lambda: EngineSettings(command=str(script)))
    told: list[str] = []
    engine.status_changed.connect(lambda state, sentence: told.append(sentence))
    engine.start()
    until(lambda: engine.state == DEAD)
    assert "An earlier engine has not ended yet; waiting for it." in told
    assert "Out of memory." in engine.sentence
    engine.shut_down()


SMALL_ENGINE = """#!{python}
import http.server, json, sys, threading
model = sys.argv[sys.argv.index("--model") + 1]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"ready": True, "sentence": "Ready.", "model": {{"name": model}}}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"groundproof serves {{model}} at http://127.0.0.1:{{server.server_port}} now", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def small_engine(qgis_app, tmp_path: Path):
    """A local engine whose program is small, and the settings it reads: a list of one."""
    script = tmp_path / "small"
    script.write_text(SMALL_ENGINE.format(python=sys.executable))
    script.chmod(0o755)
    chosen = [EngineSettings(command=str(script), model="one")]
    engine = LocalEngine(tmp_path / "u", lambda: chosen[0])
    engine.start()
    until(lambda: engine.state == READY)
    yield engine, chosen
    engine.shut_down()


def test_other_settings_reach_an_engine_that_runs(small_engine) -> None:
    engine, chosen = small_engine
    first = engine.address()
    engine.look()
    assert (engine.state, engine.address()) == (READY, first)
    chosen[0] = EngineSettings(command=chosen[0].command, model="two")
    engine.look()
    with pytest.raises(EngineError) as gone:
        engine.address()
    assert gone.value.kind == "busy"  # a question that is asked now waits for it
    until(lambda: engine.state == READY)
    assert engine.model["name"] == "two"
    chosen[0] = EngineSettings()
    engine.look()
    until(lambda: engine.state == ABSENT)


def test_an_engine_that_is_stopped_says_so_and_starts_again_only_when_the_old_one_is_gone(
    small_engine,
) -> None:
    engine, _ = small_engine
    child = engine._child
    engine.stop()
    assert (engine.state, engine.sentence) == (STOPPED, "The engine on this computer is stopping.")
    engine.start()
    assert engine._child is child
    until(lambda: engine.state == READY)
    assert engine._child is not child
    engine.stop()
    until(lambda: engine._child is None)
    assert (engine.state, engine.sentence) == (STOPPED, "The engine on this computer is not running.")
