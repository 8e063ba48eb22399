"""What a person writes after --model, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from groundproof.errors import ModelError
from groundproof.models import resolve as resolve_module
from groundproof.models.endpoint import Endpoint
from groundproof.models.identity import content_hash
from groundproof.models.open import open_model
from groundproof.models.profiles import PROFILES, get_profile
from groundproof.models.resolve import ModelSpec, resolve

from .model_server import ModelServer, nobody


def checkpoint(folder: Path, model_type: str = "glm4v", hidden_size: int = 32) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": model_type, "text_config": {"hidden_size": hidden_size}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_every_profile_cuts_tiles_the_model_takes_without_a_resize() -> None:
    for profile in PROFILES.values():
        assert profile.tile_px % profile.patch_merge_px == 0
        assert 0 < profile.overlap_px < profile.tile_px


def test_only_the_embedded_profile_claims_that_its_weights_have_run() -> None:
    assert [p.name for p in PROFILES.values() if p.weights_run] == ["tiny"]


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="rsthinker"):
        get_profile("gpt")
    with pytest.raises(ModelError, match=r"neither a model profile, nor a folder.*qwen3-vl"):
        resolve("no-such-model")
    with pytest.raises(ModelError, match="no model profile 'gpt'"):
        resolve("gpt:/somewhere/that/is/not")


def test_a_profile_without_weights_on_disk_says_how_to_give_them() -> None:
    how = (
        r"`vllm serve minglanga/RSThinker`.*--model rsthinker:http://localhost:8000/v1; or .*rsthinker:FOLDER"
    )
    for model in ("rsthinker", "vllm:rsthinker"):
        with pytest.raises(ModelError, match=how):
            resolve(model)


def test_a_missing_embedded_model_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_module, "EMBEDDED_FOLDER", tmp_path / "weights" / "tiny")
    with pytest.raises(ModelError, match="groundproof-train"):
        resolve("tiny")


def test_the_embedded_models_profile_is_the_built_in_one_whatever_an_export_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(tmp_path / "tiny")
    (folder / "groundproof.toml").write_text('base = "tiny"\ntile_px = 280\n')
    monkeypatch.setattr(resolve_module, "EMBEDDED_FOLDER", folder)
    assert resolve("tiny").profile == PROFILES["tiny"]


def test_a_named_profile_wins_over_what_the_folder_says(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "m")
    (folder / "groundproof.toml").write_text('base = "tiny"\n')
    spec = resolve(f"rsthinker:{folder}")
    assert (spec.profile.name, spec.folder, spec.note) == ("rsthinker", folder, None)


def test_a_folder_may_describe_a_profile_of_its_own_which_has_the_folders_name(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "mine", model_type="llava")
    (folder / "groundproof.toml").write_text('base = "tiny"\ntile_px = 448\ntitle = "My own"\n')
    expected = {"name": "mine", "tile_px": 448, "title": "My own", "weights_run": False}
    assert resolve(str(folder)).profile == get_profile("tiny").model_copy(update=expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("base = ", "is not a TOML file"),
        ('base = "tiny"\ntyle = 1', "tyle"),
        ('base = "tinny"', "no model profile 'tinny'"),
    ],
)
def test_a_bad_profile_file_is_named_with_its_fault(tmp_path: Path, content: str, message: str) -> None:
    folder = checkpoint(tmp_path)
    (folder / "groundproof.toml").write_text(content)
    with pytest.raises(ModelError, match=message):
        resolve(str(folder))


@pytest.mark.parametrize(
    ("model_type", "hidden_size", "name", "profile"),
    [
        ("glm4v", 256, "m", "tiny"),
        ("glm4v", 4096, "m", "glm-4.1v-thinking"),
        ("glm4v", 4096, "RSThinker", "rsthinker"),
        ("qwen2_5_vl", 2048, "m", "qwen2.5-vl"),
        ("qwen3_vl", 2048, "m", "qwen3-vl"),
    ],
)
def test_a_bare_folder_gets_a_profile_by_its_type_and_says_so(
    tmp_path: Path, model_type: str, hidden_size: int, name: str, profile: str
) -> None:
    spec = resolve(str(checkpoint(tmp_path / name, model_type, hidden_size)))
    assert spec.profile.name == profile
    assert spec.note is not None
    assert profile in spec.note


def test_a_bare_folder_of_an_unknown_type_asks_for_a_profile(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'llama'.*PROFILE:FOLDER"):
        resolve(str(checkpoint(tmp_path, "llama")))


def test_pickled_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin, a pickle, which can run any code"):
        resolve(str(folder))


def test_missing_pieces_of_a_checkpoint_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a model profile, nor a folder"):
        resolve(str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match="does not exist"):
        resolve(f"tiny:{tmp_path / 'nowhere'}")
    folder = checkpoint(tmp_path / "m")
    with pytest.raises(ModelError, match="is a file"):
        resolve(str(folder / "config.json"))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        resolve(str(folder))
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"lacks weight files.*: model-2\.safetensors"):
        resolve(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve(str(folder))


def test_the_content_hash_follows_contents_and_not_places_or_logs(tmp_path: Path) -> None:
    first, second = checkpoint(tmp_path / "a"), checkpoint(tmp_path / "b")
    (second / "README.md").write_text("notes")
    assert content_hash(first) == content_hash(second)
    (second / "model.safetensors").write_bytes(b"other weights")
    assert content_hash(first) != content_hash(second)
    assert len(content_hash(first)) == 12


def test_vllm_in_this_process_is_asked_for_by_a_prefix(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "m")
    assert resolve(f"vllm:{folder}").engine == "vllm"
    spec = resolve(f"vllm:rsthinker:{folder}")
    assert (spec.profile.name, spec.folder, spec.engine) == ("rsthinker", folder, "vllm")
    assert resolve(f"rsthinker:{folder}").engine == "transformers"
    with pytest.raises(ModelError, match="vllm: runs a model in this process, from its folder"):
        resolve("vllm:rsthinker:http://localhost:8000/v1")


def test_vllm_that_is_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "groundproof.models.vllm_adapter", None)
    with pytest.raises(ModelError, match=r"pip install 'groundproof\[vllm\]'"):
        open_model(f"vllm:{checkpoint(tmp_path)}")


def test_a_profile_and_an_address_need_no_network(tmp_path: Path) -> None:
    spec = resolve("rsthinker:https://gpu.example/v1#org/model")
    assert spec == ModelSpec(
        PROFILES["rsthinker"], Endpoint("https://gpu.example/v1", "org/model"), None, "openai"
    )
    own = tmp_path / "my-model.toml"
    own.write_text('base = "qwen3-vl"\ntemperature = 0.5\n')
    spec = resolve(f"{own}:http://localhost:8000/v1")
    assert (spec.profile.name, spec.profile.temperature, spec.engine) == ("my-model", 0.5, "openai")
    folder = checkpoint(tmp_path / "weights")
    assert resolve(f"{own}:{folder}").folder == folder
    with pytest.raises(
        ModelError, match=r"my-model are not on this machine.*my-model\.toml:http://localhost"
    ):
        resolve(str(own))
    with pytest.raises(ModelError, match="no model profile 'gpt'"):
        resolve("gpt:http://localhost:8000/v1")


@pytest.mark.parametrize(
    ("served", "profile"),
    [
        ("minglanga/RSThinker", "rsthinker"),
        ("zai-org/GLM-4.1V-9B-Thinking", "glm-4.1v-thinking"),
        ("Qwen/Qwen2.5-VL-7B-Instruct-AWQ", "qwen2.5-vl"),
        ("qwen3-vl-8b", "qwen3-vl"),
        ("/srv/models/tiny", "tiny"),
    ],
)
def test_a_served_model_whose_name_is_known_gets_its_profile_and_says_so(served: str, profile: str) -> None:
    with ModelServer(lambda body: [], models=[{"id": served}]) as server:
        spec = resolve(server.url)
        assert resolve(f"{server.url}#{served}").profile == spec.profile
    assert (spec.profile.name, spec.engine, spec.endpoint.url) == (profile, "openai", server.url)
    assert spec.note is not None
    assert f"serves {served}: taken for the profile {profile}" in spec.note


def test_a_served_model_of_another_name_asks_for_a_profile() -> None:
    for name in ("gpt-9", "tiny-llava"):
        with (
            ModelServer(lambda body: [], models=[{"id": name}]) as server,
            pytest.raises(ModelError, match=rf"serves {name}, which names no known .*PROFILE:http"),
        ):
            resolve(server.url)
    with nobody() as url, pytest.raises(ModelError, match="no connection"):
        resolve(url)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(ModelError, match="GROUNDPROOF_MODEL_KEY") as caught:
        resolve("rsthinker:https://me:hunter2@gpu.example/v1")
    assert "hunter2" not in str(caught.value)


def test_a_family_that_needs_a_server_is_not_run_in_process(tmp_path: Path) -> None:
    only = next(name for name, profile in PROFILES.items() if profile.ways == ("server",))
    for model in (only, f"{only}:{checkpoint(tmp_path)}", f"vllm:{only}"):
        with pytest.raises(ModelError, match=rf"{only} cannot be run with .*, only behind a server"):
            resolve(model)
    assert resolve(f"{only}:http://localhost:8000/v1").engine == "openai"


def test_a_model_on_a_server_has_no_folder_and_one_on_disk_no_server(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"rsthinker is behind https://gpu\.example/v1; its weights are needed"
    ):
        _ = resolve("rsthinker:https://gpu.example/v1").folder
    with pytest.raises(ModelError, match="the address of a server is needed"):
        _ = resolve(f"tiny:{checkpoint(tmp_path)}").endpoint
    with pytest.raises(ValueError, match="cannot run"):
        ModelSpec(PROFILES["tiny"], tmp_path, engine="openai")


def test_a_model_behind_an_address_is_opened_without_torch() -> None:
    with ModelServer(lambda body: ["<answer>", "1", "</answer>"]) as server:
        model = open_model(f"tiny:{server.url}", max_in_flight=2)
        assert (model.profile.name, model.max_in_flight, model.continuous) == ("tiny", 2, True)
        model.close()
