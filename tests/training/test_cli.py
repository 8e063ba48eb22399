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
