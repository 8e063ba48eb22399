"""`groundproof-train`: what a person reads who asks for help or presses Ctrl+C."""

import sys

import pytest
import typer

from groundproof_training import cli, recipe

COMMANDS = typer.main.get_command(cli.app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_says_what_it_is(name):
    assert COMMANDS[name].help
    assert [p.name for p in COMMANDS[name].params if not p.help] == []


@pytest.mark.parametrize("name", ["export", "recipe"])
def test_no_example_writes_over_the_embedded_weights(name):
    assert f"groundproof-train {name} out/tiny" in COMMANDS[name].help


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("follow", ["scenes", "--scenes", "9"]),
        ("run_dense", ["dense", "--minutes", "5"]),
        ("run_pointer", ["pointer", "--work", "a folder"]),
        ("run_curriculum", ["curriculum"]),
        ("run_recipe", ["recipe", "out/tiny", "--small"]),
    ],
)
def test_ctrl_c_says_how_to_go_on(stage, words, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, stage, interrupted)
    monkeypatch.setattr(recipe, "logged", lambda *args: None)
    monkeypatch.setattr(sys, "argv", ["groundproof-train", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    said = capsys.readouterr().err.replace("'a folder'", "a folder")
    assert (
        said
        == f"stopped; what was saved until now is kept. Go on with: groundproof-train {' '.join(words)}\n"
    )


@pytest.mark.parametrize(
    ("words", "there", "said"),
    [
        (["export", "out/x"], [], ["curriculum.pt is not there", "--work", "--model"]),
        (["export", "out/x"], ["pointer.pt"], ["curriculum.pt is not there", "give --stage pointer"]),
        (["export", "out/x", "--stage", "pointer"], [], ["pointer.pt is not there", "--work"]),
        (["export", "out/x", "--stage", "dense"], ["dense.pt"], ["--stage pointer or curriculum", "--model"]),
        (["pointer"], [], ["dense.pt is not there", "the stage `dense` writes it"]),
        (["curriculum"], [], ["pointer.pt is not there", "the stage `pointer` writes it"]),
    ],
)
def test_a_checkpoint_that_is_missing_is_one_sentence(words, there, said, monkeypatch, capsys, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    for name in there:
        (work / name).touch()
    monkeypatch.setattr(sys, "argv", ["groundproof-train", *words, "--work", str(work)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert all(one in line for one in said)
    assert not (work / "tokenizer").exists()
