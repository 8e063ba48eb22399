"""What a person writes after --model, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from groundproof.errors import ModelError
from groundproof.models import resolve as resolve_module
from groundproof.models.identity import content_hash
from groundproof.models.profiles import PROFILES, Profile, get_profile
from groundproof.models.resolve import resolve


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
        assert profile.prompt_style in {"native", "instructed"}


def test_only_the_embedded_profile_claims_that_its_weights_have_run() -> None:
    assert [p.name for p in PROFILES.values() if p.weights_run] == ["tiny"]


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="rsthinker"):
        get_profile("gpt")
    with pytest.raises(ModelError, match=r"neither a model profile nor a folder.*qwen3-vl"):
        resolve("no-such-model")
    with pytest.raises(ModelError, match="no model profile 'gpt'"):
        resolve("gpt:/somewhere/that/is/not")


def test_a_profile_without_weights_on_disk_says_how_to_give_them() -> None:
    with pytest.raises(ModelError, match="vLLM and HTTP serving come with the service; give a folder"):
        resolve("rsthinker")


def test_a_missing_embedded_model_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_module, "EMBEDDED_FOLDER", tmp_path / "weights" / "tiny")
    with pytest.raises(ModelError, match="groundproof-train"):
        resolve("tiny")


def test_the_embedded_profile_is_the_one_written_beside_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(tmp_path / "tiny")
    (folder / "groundproof.json").write_text(json.dumps({"base": "tiny", "tile_px": 280}))
    monkeypatch.setattr(resolve_module, "EMBEDDED_FOLDER", folder)
    assert resolve("tiny").profile.tile_px == 280


def test_a_named_profile_wins_over_what_the_folder_says(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "m")
    (folder / "groundproof.json").write_text(json.dumps({"base": "tiny"}))
    spec = resolve(f"rsthinker:{folder}")
    assert (spec.profile.name, spec.folder, spec.note) == ("rsthinker", folder, None)


def test_a_folder_may_describe_a_whole_profile_of_its_own(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "m", model_type="llava")
    own = get_profile("tiny").model_copy(update={"name": "mine", "tile_px": 448})
    (folder / "groundproof.json").write_text(own.model_dump_json())
    assert resolve(str(folder)).profile == own
    assert isinstance(own, Profile)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "list, not a JSON object"),
        ('{"base": "tiny", "tyle": 1}', "tyle"),
    ],
)
def test_a_bad_profile_file_is_named_with_its_fault(tmp_path: Path, content: str, message: str) -> None:
    folder = checkpoint(tmp_path)
    (folder / "groundproof.json").write_text(content)
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
    with pytest.raises(ModelError, match="neither a model profile nor a folder"):
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
