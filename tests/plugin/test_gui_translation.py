"""Every text of the plugin is translated, and QGIS can load it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from qgis.PyQt.QtCore import QCoreApplication

from groundproof_qgis.i18n_text import FOLDER, install_translator, tr

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(FOLDER.glob("*.ts"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(
        "update_translations", str(ROOT / "scripts" / "update_translations")
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # dataclasses look it up
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_is_translated_with_the_same_fields(script, path):
    assert script.problems(path, script.texts()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_blanks_at_the_ends_line_ends_and_dots_are_kept(script, path):
    """A suffix stays a suffix, a sentence a sentence, and what opens a dialog keeps its dots."""
    for source, translation in script.translations(path).items():
        assert translation[0].isspace() == source[0].isspace(), source
        assert translation[-1].isspace() == source[-1].isspace(), source
        assert translation.count("\n") == source.count("\n"), source
        assert translation.endswith("...") == source.endswith("..."), source
        assert ("&" in translation.replace("&&", "")) == ("&" in source.replace("&&", "")), source
        assert "!" not in translation, source


def test_there_is_a_full_translation():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_qt_speaks_the_language(qgis_app, script, path, tmp_path):
    if shutil.which("lrelease") is None:
        pytest.skip("needs lrelease (qttools5-dev-tools)")
    language = path.stem.split("_", 1)[1]
    subprocess.run(["lrelease", "-silent", path, "-qm", tmp_path / f"{path.stem}.qm"], check=True)
    assert install_translator("xx", tmp_path) is None
    translator = install_translator(f"{language}_AT", tmp_path)
    assert translator is not None
    try:
        wanted = script.translations(path)
        assert {source: tr(source) for source in wanted} == wanted
    finally:
        QCoreApplication.removeTranslator(translator)
    assert tr("Question") == "Question"


def test_a_call_that_cannot_be_extracted_is_refused(script, tmp_path):
    (tmp_path / "a.py").write_text("tr(f'{x} boxes')")
    with pytest.raises(TypeError, match=r"a\.py:1"):
        script.texts(tmp_path)


def test_translations_are_kept_when_the_source_changes(script, tmp_path):
    (tmp_path / "a.py").write_text("tr('one'); tr('two'\n 'three')")
    path = tmp_path / "x.ts"
    path.write_text(script.written("de_DE", script.texts(tmp_path), {"one": "eins", "gone": "weg"}))
    assert script.translations(path) == {"one": "eins"}
    assert script.problems(path, script.texts(tmp_path)) == ["not translated: 'twothree' (a.py)"]
