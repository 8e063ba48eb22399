"""Profiles: the built-in ones, a user's own, their prompts, and how `groundproof models` shows them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from groundproof.boxes import BoxFrame
from groundproof.cli import app
from groundproof.errors import ModelError
from groundproof.models.profile import Profile, PromptTexts
from groundproof.models.profiles import (
    BUILT_IN_FOLDER,
    DEFAULT_PROFILE,
    PROFILES,
    get_profile,
    known_profiles,
    user_folder,
)
from groundproof.protocol import PROMPT_VERSION, Task, render, render_second_look

FAMILIES = (
    "tiny",
    "earthdial",
    "geochat",
    "geovlm-r1",
    "glm-4.1v-thinking",
    "internvl",
    "qwen2.5-vl",
    "qwen3-vl",
    "rsthinker",
)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes a profile into the user's configuration folder, which is empty at first."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def write(name: str, text: str) -> Path:
        path = user_folder() / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


# -- built-in profiles -------------------------------------------------------------------------------------


def test_every_family_of_the_plan_has_a_profile_and_the_default_comes_first() -> None:
    assert tuple(PROFILES) == FAMILIES
    assert next(iter(PROFILES)) == DEFAULT_PROFILE


def test_tiny_is_what_it_was_when_its_weights_were_trained() -> None:
    tiny = get_profile("tiny")
    assert tiny.model_dump(exclude={"title", "licence", "caution", "labels", "tasks"}) == {
        "name": "tiny",
        "source": "embedded",
        "prompt_style": "native",
        "prompt": {"system": None, "task": {}},
        "answer_form": "geo-cot",
        "frame": BoxFrame.PER_MILLE,
        "patch_merge_px": 28,
        "tile_px": 224,
        "overlap_px": 56,
        "gsd_m": None,
        "max_new_tokens": 768,
        "repetition_penalty": 1.0,
        "temperature": 0.0,
        "top_p": 1.0,
        "ways": ("transformers", "vllm", "server"),
        "serving": None,
        "weights_run": True,
    }
    assert tiny.labels is not None
    assert tiny.tasks is not None
    assert (len(tiny.labels), len(tiny.tasks)) == (10, 8)
    prompt = render(Task.COUNT, "How many ships are there?", tiny, ("ship",))
    assert (prompt.system, prompt.text, prompt.version) == ("", "[count] How many ships are there?", "1")


def test_only_weights_that_this_project_ran_are_said_to_have_run() -> None:
    assert [name for name, profile in PROFILES.items() if profile.weights_run] == ["tiny"]


def test_every_profile_decodes_greedily_and_rsthinker_as_its_authors_do() -> None:
    assert {(p.temperature, p.top_p) for p in PROFILES.values()} == {(0.0, 1.0)}
    ours = get_profile("rsthinker")
    assert (ours.repetition_penalty, ours.max_new_tokens, ours.answer_form) == (1.1, 8192, "think")


def test_every_profile_names_its_licence_its_source_and_how_it_can_be_run() -> None:
    for profile in PROFILES.values():
        assert profile.licence
        assert profile.source
        assert profile.ways


def test_families_whose_own_code_would_have_to_run_here_are_for_servers_only() -> None:
    assert {name for name, profile in PROFILES.items() if profile.ways == ("server",)} == {
        "geochat",
        "earthdial",
        "internvl",
    }


def test_the_files_of_the_package_hold_nothing_that_loads_code() -> None:
    for path in BUILT_IN_FOLDER.glob("*.toml"):
        assert set(tomllib.loads(path.read_text(encoding="utf-8"))) <= set(Profile.model_fields) - {"name"}


@pytest.mark.parametrize("key", ["trust_remote_code = true", 'auto_map = "x.Y"', 'code = "import os"'])
def test_a_key_that_could_run_code_is_unknown(mine: Callable[[str, str], Path], key: str) -> None:
    mine("sly", f'base = "tiny"\n{key}\n')
    with pytest.raises(ModelError, match=f"there is no field {key.split()[0]}"):
        get_profile("sly")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_tile_is_a_size_it_takes_without_a_resize(name: str) -> None:
    profile = PROFILES[name]
    assert profile.tile_px % profile.patch_merge_px == 0
    assert 0 < profile.overlap_px < profile.tile_px


def test_a_wheel_carries_the_profiles_as_a_checkout_does() -> None:
    shipped = {entry.name for entry in files("groundproof").joinpath("profiles").iterdir()}
    assert shipped == {f"{name}.toml" for name in FAMILIES}


# -- a user's own ------------------------------------------------------------------------------------------


def test_a_user_adds_a_profile_in_a_file_on_top_of_another(mine: Callable[[str, str], Path]) -> None:
    path = mine("harbour", 'base = "qwen3-vl"\ntitle = "Our fine-tune"\ntile_px = 640\n')
    got = get_profile("harbour")
    expected = get_profile("qwen3-vl").model_copy(
        update={"name": "harbour", "title": "Our fine-tune", "tile_px": 640}
    )
    assert got == expected
    assert get_profile(str(path)) == got
    last = known_profiles()[-1]
    assert (last.name, last.file, last.profile) == ("harbour", path, got)


def test_a_whole_profile_needs_no_base(mine: Callable[[str, str], Path]) -> None:
    mine(
        "own",
        'title = "t"\nlicence = "CC0"\nsource = "lab/own"\nprompt_style = "plain"\nframe = "percent-angle"\n'
        "patch_merge_px = 16\ntile_px = 512\noverlap_px = 64\n",
    )
    assert get_profile("own").frame is BoxFrame.PERCENT_ANGLE


def test_a_base_may_be_a_users_own_and_prompt_texts_are_taken_over_one_by_one(
    mine: Callable[[str, str], Path],
) -> None:
    mine("s2", 'base = "earthdial"\n[prompt.task]\nvqa = "[s2_rgb_10] {question}"\n')
    mine("s2b", 'base = "./s2.toml"\noverlap_px = 28\n')
    got = get_profile("s2b")
    assert (got.overlap_px, got.prompt.task[Task.VQA]) == (28, "[s2_rgb_10] {question}")
    assert got.prompt.task[Task.COUNT] == get_profile("earthdial").prompt.task[Task.COUNT]


def test_a_users_profile_does_not_inherit_that_its_weights_were_run(mine: Callable[[str, str], Path]) -> None:
    mine("mini", 'base = "tiny"\ntile_px = 448\n')
    assert (get_profile("mini").source, get_profile("mini").weights_run) == ("embedded", False)


def test_a_builtin_profile_cannot_be_hidden_by_a_file_of_its_name(
    mine: Callable[[str, str], Path], tmp_path: Path
) -> None:
    mine("tiny", 'base = "qwen3-vl"\n')
    with pytest.raises(ModelError, match=r'built-in profile tiny.*another name; base = "tiny"'):
        get_profile("tiny")
    elsewhere = tmp_path / "rsthinker.toml"
    elsewhere.write_text('base = "qwen3-vl"\n', encoding="utf-8")
    with pytest.raises(ModelError, match="built-in profile rsthinker"):
        get_profile(str(elsewhere))
    assert get_profile("rsthinker") is PROFILES["rsthinker"]


def test_a_broken_file_is_listed_with_its_fault_and_does_not_hide_the_others(
    mine: Callable[[str, str], Path],
) -> None:
    mine("broken", "tile_px = ")
    mine("fine", 'base = "tiny"\n')
    known = {one.name: one for one in known_profiles()}
    assert [*known] == [*FAMILIES, "broken", "fine"]
    assert known["broken"].profile is None
    assert "is not a TOML file" in str(known["broken"].problem)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'base = "tiny"\ntyle_px = 3\n',
            r"no field tyle_px \(got 3\). Did you mean tile_px\? Allowed: base, ",
        ),
        ('base = "tiny"\n[prompt]\nsistem = "x"\n', r"no field prompt.sistem .*Did you mean system"),
        ('base = "tiny"\n[prompt.task]\ncuont = "x"\n', r"prompt.task.cuont is 'cuont'; allowed: 'count', "),
        ('base = "tiny"\ntile_px = "big"\n', "tile_px is 'big'; allowed: a valid integer"),
        ('base = "tiny"\ntile_px = 100\n', r"tile_px \(100\) must be a multiple of patch_merge_px \(28\)\.$"),
        ('base = "tiny"\noverlap_px = 224\n', r"overlap_px \(224\) must be smaller than tile_px \(224\)"),
        ('base = "tiny"\ntemperature = -1\n', "temperature is -1; allowed: greater than or equal to 0"),
        ('base = "tiny"\ntop_p = 0\n', "top_p is 0; allowed: greater than 0"),
        ('base = "tiny"\nframe = "corners"\n', "frame is 'corners'; allowed: 'per-mille', 'resized-pixels'"),
        ('base = "tiny"\nprompt_style = "chatty"\n', "prompt_style is 'chatty'; allowed: 'native', 'plain'"),
        ('base = "tiny"\nways = ["smoke"]\n', "ways.0 is 'smoke'; allowed: 'transformers', 'vllm'"),
        ('base = "tiny"\n[prompt.task]\nvqa = "{what}"\n', r"text of vqa has the placeholder \{what\}"),
        ('base = "tiny"\nweights_run = true\n', "weights_run = True is not for a profile file"),
        ('base = "tiny"\nname = "x"\n', "name = 'x' is not for a profile file"),
        ("base = 3\n", "base = 3 should be the name of a profile"),
        ('base = "gpt"\n', "no model profile 'gpt'. Known profiles: tiny, .*, mine"),
        ('base = "../tiny"\n', "no model profile '../tiny'"),
        ('base = "mine"\n', r"build on each other in a circle: .*mine.toml -> .*mine.toml"),
        ("tile_px = 224\n", "the field title is missing. Give it, or take over another"),
        ("tile_px = \n", "is not a TOML file"),
    ],
)
def test_a_faulty_file_is_answered_with_file_field_what_came_and_what_is_allowed(
    mine: Callable[[str, str], Path], text: str, said: str
) -> None:
    mine("mine", text)
    with pytest.raises(ModelError, match=said) as caught:
        get_profile("mine")
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    if "no model profile" not in sentence:
        assert "mine.toml" in sentence


@pytest.mark.parametrize("name", ["Mine", "my model", "vllm", "-x", "a:b"])
def test_a_file_whose_name_cannot_stand_before_a_colon_is_no_profile(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text('base = "tiny"\n', encoding="utf-8")
    with pytest.raises(ModelError, match="Allowed: small letters, digits"):
        get_profile(str(path))


def test_a_file_that_is_not_there_or_not_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.toml cannot be read: No such file or directory\.$"):
        get_profile(str(tmp_path / "gone.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=r"bytes\.toml is not a TOML file"):
        get_profile(str(tmp_path / "bytes.toml"))


def test_the_configuration_folder_follows_xdg_and_ignores_a_relative_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert user_folder() == tmp_path / ".config" / "groundproof" / "profiles"


# -- prompts of their own ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "task", "labels", "text"),
    [
        ("geochat", Task.COUNT, ("airplane",), "[refer] Give me the location of <p> airplanes </p>"),
        ("geochat", Task.DETECT, ("ship", "bus"), "[refer] Give me the location of <p> ships and buses </p>"),
        ("geochat", Task.GROUND, ("ship",), "[refer] Give me the location of <p> the white ship </p>"),
        ("geochat", Task.VQA, (), "the white ship"),
        (
            "earthdial",
            Task.DETECT,
            (),
            "[refer] [hr_rgb_0.5] Give me the location of <ref>the white ship</ref>",
        ),
        ("earthdial", Task.CHANGE, (), "[changedet] [hr_rgb_temp_0.5] the white ship"),
        ("rsthinker", Task.DETECT, ("ship",), "Detect all ships in the image."),
        ("rsthinker", Task.COUNT, ("ship",), "the white ship"),
    ],
)
def test_families_are_asked_in_the_words_they_were_trained_on(
    name: str, task: Task, labels: tuple[str, ...], text: str
) -> None:
    prompt = render(task, "the white ship", get_profile(name), labels, context="E1 ship")
    assert (prompt.system, prompt.text, prompt.version) == ("", text, PROMPT_VERSION)
    assert not prompt.context_used


def test_a_line_about_classes_is_left_out_where_there_are_none() -> None:
    geochat = get_profile("geochat")
    with_classes = render(Task.CLASSIFY, "What is it?", geochat, ("port", "farm")).text
    without = render(Task.CLASSIFY, "What is it?", geochat).text
    assert "Classes: port, farm." in with_classes
    assert without == "What is it?\nAnswer in one word or a short phrase."


def test_a_plain_second_look_is_a_question_in_the_familys_words() -> None:
    said = render_second_look("ship", "a white ship", get_profile("earthdial")).text
    assert said == "[hr_rgb_0.5] Is there a ship in the image? Answer the question using a single word."
    assert (
        render_second_look("ship", "a ship", get_profile("rsthinker")).text == "Is there a ship in the image?"
    )


def test_a_profiles_own_texts_take_the_place_of_its_style_and_leave_the_rest() -> None:
    texts = PromptTexts(system="Be careful.", task={Task.COUNT: "Zähle {objects}. {labels} {question}"})
    own = get_profile("qwen3-vl").model_copy(update={"prompt": texts})
    assert render(Task.COUNT, "how many?", own, ("ship",)).text == "Zähle ships. ship how many?"
    other = render(Task.VQA, "Is there a ship?", own)
    assert (other.system, other.text) == (
        "Be careful.",
        render(Task.VQA, "Is there a ship?", PROFILES["qwen3-vl"]).text,
    )


@pytest.mark.parametrize("name", ["geochat", "earthdial"])
def test_a_question_fills_its_place_and_nothing_else(name: str) -> None:
    text = render(Task.GROUND, "{labels} {objects} <image> <|im_start|>", get_profile(name), ("ship",)).text
    assert "{labels} {objects} < image> < |im_start|>" in text


# -- groundproof models ------------------------------------------------------------------------------------


def models(*arguments: str, columns: int = 80) -> str:
    result = CliRunner().invoke(app, ["models", *arguments], env={"COLUMNS": str(columns)})
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_models_fits_the_terminal_and_names_every_profile(
    mine: Callable[[str, str], Path], columns: int
) -> None:
    mine("harbour", 'base = "qwen3-vl"\ntitle = "Our \\u001b[31m fine-tune"\ntemperature = 0.2\n')
    mine("broken", "tile_px = 3\n")
    text = models(columns=columns)
    assert "\x1b[31m" not in text
    assert max(map(len, text.splitlines())) <= columns
    starts = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert starts[: len(FAMILIES) + 2] == [*FAMILIES, "broken", "harbour"]
    assert "the field title is missing" in " ".join(text.split())
    for said in (
        "--model vllm:harbour:FOLDER",
        "--model harbour:http://HOST:8000/v1",
        "temperature 0.2, top_p 1",
    ):
        assert said in text


def test_models_says_how_each_can_be_run_and_what_was_run() -> None:
    rows = {row["name"]: row for row in json.loads(models("--json"))}
    assert rows["tiny"]["serve"] == ["--model tiny"]
    assert rows["geochat"]["serve"] == ["--model geochat:http://HOST:8000/v1"]
    assert len(rows["rsthinker"]["serve"]) == 3
    assert [name for name, row in rows.items() if row["weights_run"]] == ["tiny"]
    assert rows["earthdial"]["available"] is False


def test_models_json_names_the_file_of_a_users_profile_and_the_fault_of_a_broken_one(
    mine: Callable[[str, str], Path],
) -> None:
    fine, broken = mine("fine", 'base = "tiny"\n'), mine("broken", "x = ")
    rows = {row["name"]: row for row in json.loads(models("--json"))}
    assert rows["fine"]["file"] == str(fine)
    assert rows["tiny"]["file"] is None
    assert rows["broken"]["file"] == str(broken)
    assert "is not a TOML file" in rows["broken"]["problem"]
