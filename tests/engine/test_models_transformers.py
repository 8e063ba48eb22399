"""The in-process adapter against transformers' own generate and forward, on a small random Glm4v."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers.models.glm4v.modeling_glm4v import Glm4vVisionPatchEmbed

from groundproof.errors import ModelError
from groundproof.models import transformers_adapter
from groundproof.models.base import Piece, Request
from groundproof.models.decoding import Batch
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.hardware import choose_device, choose_dtype
from groundproof.models.open import open_model
from groundproof.models.patch_embedding import PatchProjection, patch_embedding_as_linear
from groundproof.models.profiles import get_profile
from groundproof.models.resolve import ModelSpec, resolve
from groundproof.models.transformers_adapter import TransformersModel, load
from tests.engine.test_models_support import ask, finishes, noise, texts, write_checkpoint

SIZES = ((84, 112), (56, 56), (112, 84), (56, 112))
N_TOKENS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("random-glm4v"))


@pytest.fixture
def model(folder: Path) -> TransformersModel:
    return load(resolve(str(folder)), device="cpu", max_in_flight=4)


def mixed(n: int = 4, **kwargs: Any) -> list[Request]:
    """Requests of different image sizes and question lengths."""
    return [
        ask(i, "Where? " + "ship " * i, SIZES[i % 4], max_new_tokens=N_TOKENS, **kwargs) for i in range(n)
    ]


def reference(model: TransformersModel, request: Request, **kwargs: Any) -> list[int]:
    """Token ids by transformers' generate, greedy, without padding; the stop token cut off."""
    prepared = model._processing.prepare(request)
    ids = torch.tensor([prepared.ids])
    with torch.inference_mode():
        output = model.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=torch.tensor([prepared.image_mask]),
            max_new_tokens=request.max_new_tokens,
            do_sample=False,
            **prepared.tensors,
            **kwargs,
        )
    new: list[int] = output[0, ids.shape[1] :].tolist()
    return new[:-1] if new[-1] in model._decoding.stop_ids else new


def decoded(model: TransformersModel, ids: list[int]) -> str:
    text: str = model._processing.tokenizer.decode(ids, skip_special_tokens=False)
    return text


def with_stops(model: TransformersModel, stops: set[int]) -> None:
    """Other stop tokens, for our loop and for transformers' generate."""
    model._decoding = transformers_adapter.Decoding(frozenset(stops), 0, model._decoding.repetition_penalty)
    model.model.generation_config.eos_token_id = sorted(stops)


def test_greedy_answers_equal_transformers_generate_token_for_token(model: TransformersModel) -> None:
    requests = mixed(8)
    answers = texts(list(model.generate(requests)))
    assert answers == {r.request_id: decoded(model, reference(model, r)) for r in requests}
    assert len(set(answers.values())) == len(requests)


def test_a_repetition_penalty_equals_transformers_own(folder: Path) -> None:
    profile = get_profile("tiny").model_copy(update={"repetition_penalty": 1.3})
    model = load(ModelSpec(profile, folder), device="cpu")
    requests = mixed(2)
    answers = texts(list(model.generate(requests)))
    assert answers == {
        r.request_id: decoded(model, reference(model, r, repetition_penalty=1.3)) for r in requests
    }


def test_rows_that_stop_early_leave_the_others_as_they_were(model: TransformersModel) -> None:
    requests = mixed(4)
    chosen = [reference(model, r) for r in requests]
    with_stops(model, {chosen[1][3], chosen[2][9]})
    pieces = list(model.generate(requests))
    assert texts(pieces) == {r.request_id: decoded(model, reference(model, r)) for r in requests}
    assert finishes(pieces)["r1"] == "stop"


def test_log_probabilities_are_those_of_a_full_forward_pass(model: TransformersModel) -> None:
    requests = mixed(4)
    pieces = list(model.generate(requests))
    for request in requests:
        prepared = model._processing.prepare(request)
        answer = reference(model, request)
        ids = torch.tensor([prepared.ids + answer])
        kinds = torch.tensor([prepared.image_mask + [0] * len(answer)])
        with torch.inference_mode():
            logits = model.model(input_ids=ids, mm_token_type_ids=kinds, **prepared.tensors).logits[0]
        table = logits.log_softmax(-1)[len(prepared.ids) - 1 : -1]
        expected = table.gather(1, torch.tensor(answer)[:, None]).sum().item()
        got = sum(p.logprob or 0.0 for p in pieces if p.request_id == request.request_id)
        assert got == pytest.approx(expected, abs=1e-3)
        assert all(p.logprob is not None and p.logprob <= 0 for p in pieces)


def test_left_padding_leaves_first_logits_as_without_padding(model: TransformersModel) -> None:
    rows = [model._prepare(request).row for request in mixed(4)]
    together = Batch(model.model, rows, model._decoding)._logits
    for place, row in enumerate(rows):
        alone = Batch(model.model, [row], model._decoding)._logits
        torch.testing.assert_close(together[place], alone[0], rtol=1e-4, atol=1e-4)


def test_answers_do_not_depend_on_how_many_are_answered_together(model: TransformersModel) -> None:
    requests = mixed(8)
    answers = []
    for size in (1, 3, 8):
        model.max_in_flight = size
        answers.append(texts(list(model.generate(requests))))
    assert answers[0] == answers[1] == answers[2]


def test_the_same_requests_give_the_same_pieces_twice(folder: Path) -> None:
    first = list(load(resolve(str(folder)), device="cpu").generate(mixed(4)))
    second = list(load(resolve(str(folder)), device="cpu").generate(mixed(4)))
    assert first == second


def test_answers_stream_interleaved_and_end_once_each(model: TransformersModel) -> None:
    pieces = list(model.generate(mixed(4)))
    assert set(finishes(pieces).values()) <= {"stop", "length"}
    assert sum(p.finish is not None for p in pieces) == 4
    first_end = next(i for i, p in enumerate(pieces) if p.finish)
    assert {p.request_id for p in pieces[:first_end]} >= {"r0", "r1", "r2"}


def test_the_length_limit_counts_tokens_and_is_said(model: TransformersModel) -> None:
    pieces = list(model.generate([ask(0, max_new_tokens=3), ask(1, max_new_tokens=1)]))
    assert finishes(pieces) == {"r0": "length", "r1": "length"}
    assert texts(pieces)["r0"] == decoded(model, reference(model, ask(0, max_new_tokens=3)))


def test_requests_are_pulled_lazily(model: TransformersModel) -> None:
    pulled: list[str] = []

    def source() -> Iterator[Request]:
        for request in mixed(12):
            pulled.append(request.request_id)
            yield request

    pieces = model.generate(source())
    next(pieces)
    assert len(pulled) == model.max_in_flight


def test_a_question_without_an_image_is_answered(model: TransformersModel) -> None:
    request = Request("r", (), "", "How many?", max_new_tokens=5)
    ids = torch.tensor([model._processing.prepare(request).ids])
    with torch.inference_mode():
        expected = model.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False
        )
    assert texts(list(model.generate([request])))["r"] == decoded(model, expected[0, ids.shape[1] :].tolist())


def test_two_images_in_one_request_equal_transformers_generate(model: TransformersModel) -> None:
    request = Request("r", (noise(1, 56, 84), noise(2, 84, 56)), "Look.", "What changed?", N_TOKENS)
    beside = ask(3, max_new_tokens=N_TOKENS)
    answers = texts(list(model.generate([request, beside])))
    assert answers["r"] == decoded(model, reference(model, request))


def test_close_from_another_thread_cancels_what_runs(model: TransformersModel) -> None:
    with_stops(model, set())
    requests = [ask(i, max_new_tokens=400) for i in range(8)]
    seen: list[Piece] = []
    for piece in model.generate(requests):
        seen.append(piece)
        if len(seen) == 10:
            thread = threading.Thread(target=model.close)
            thread.start()
            thread.join()
    assert finishes(seen) == dict.fromkeys(["r0", "r1", "r2", "r3"], "cancelled")
    assert all(text for text in texts(seen).values())
    with pytest.raises(ModelError, match="was closed"):
        list(model.generate(requests))


def test_one_bad_request_ends_with_an_error_and_its_companions_answer(model: TransformersModel) -> None:
    good = mixed(2)
    bad = Request("bad", (noise(0)[:, :100],), "", "?")
    long = Request("long", (), "", "ship " * 5000)
    pieces = list(model.generate([good[0], bad, long, good[1]]))
    errors = {p.request_id: p.error for p in pieces if p.finish == "error"}
    assert set(errors) == {"bad", "long"}
    assert "would be resized" in str(errors["bad"])
    assert "tokens; the model takes 512" in str(errors["long"])
    assert texts(pieces)["r1"] == decoded(model, reference(model, good[1]))


def test_a_batch_too_large_for_the_memory_is_split_and_loses_nothing(
    model: TransformersModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = mixed(4)
    expected = texts(list(model.generate(requests)))
    forward = Batch._forward
    calls = 0

    def starved(batch: Batch, ids: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if len(ids) > 2 and calls > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(batch, ids, *args, **kwargs)

    monkeypatch.setattr(Batch, "_forward", starved)
    pieces = list(model.generate(requests))
    assert texts(pieces) == expected
    assert "error" not in finishes(pieces).values()


def test_a_request_that_never_fits_ends_alone_with_one_sentence(
    model: TransformersModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Batch._forward

    def starved(batch: Batch, ids: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if any("ship ship ship" in model._processing.tokenizer.decode(row) for row in ids):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(batch, ids, *args, **kwargs)

    monkeypatch.setattr(Batch, "_forward", starved)
    pieces = list(model.generate(mixed(4)))
    errors = {p.request_id: p.error for p in pieces if p.finish == "error"}
    assert list(errors) == ["r3"]
    assert (
        errors["r3"] == "There is not enough memory for this request; use smaller tiles or a smaller model."
    )


def test_a_dead_device_raises(model: TransformersModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*_args: Any, **_kwargs: Any) -> torch.Tensor:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(Batch, "_forward", dead)
    with pytest.raises(ModelError, match="died"):
        list(model.generate(mixed(2)))


def test_the_patch_embedding_as_a_matrix_product_gives_the_same_numbers(folder: Path) -> None:
    config = load(resolve(str(folder)), device="cpu").model.config.vision_config
    torch.manual_seed(0)
    embed = nn.ModuleDict({"patch_embed": Glm4vVisionPatchEmbed(config)})
    patches = torch.randn(24, 3 * 2 * 14 * 14)
    before, names = embed["patch_embed"](patches), list(embed.state_dict())
    assert patch_embedding_as_linear(embed) == 1
    assert isinstance(embed["patch_embed"].proj, PatchProjection)
    torch.testing.assert_close(embed["patch_embed"](patches), before, rtol=1e-5, atol=1e-5)
    assert list(embed.state_dict()) == names
    assert patch_embedding_as_linear(embed) == 0


def test_a_loaded_model_has_its_patch_embedding_exchanged(model: TransformersModel) -> None:
    assert isinstance(model.model.model.visual.patch_embed.proj, PatchProjection)


def test_identity_names_profile_content_and_number_format(folder: Path, tmp_path: Path) -> None:
    same = load(resolve(str(folder)), device="cpu").identity
    other = load(resolve(str(write_checkpoint(tmp_path / "o", seed=1))), device="cpu").identity
    assert same == load(resolve(str(folder)), device="cpu").identity != other
    assert same.startswith("tiny-")
    assert same.endswith("-float32")


def test_damaged_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    damaged = write_checkpoint(tmp_path / "d")
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_model(str(damaged), device="cpu")


def test_weights_that_lack_tensors_are_refused(tmp_path: Path) -> None:
    short = write_checkpoint(tmp_path / "s")
    config = json.loads((short / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 3
    (short / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"lack .* of the model's tensors"):
        open_model(str(short), device="cpu")


def test_an_unknown_or_absent_device_is_named() -> None:
    with pytest.raises(ModelError, match="'gpu9' is not a device"):
        choose_device("gpu9")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="has no device 'cuda'"):
            choose_device("cuda")


def test_small_weights_stay_float32_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert choose_dtype(cpu, 20 << 20) is torch.float32
    assert choose_dtype(cpu, 18 << 30) is torch.bfloat16


def test_fewer_than_one_in_flight_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="at least 1, got 0"):
        open_model(str(folder), max_in_flight=0)


@pytest.mark.weights
def test_the_embedded_model_answers_with_tags_and_log_probabilities() -> None:
    if not (EMBEDDED_FOLDER / "model.safetensors").is_file():
        pytest.skip("the embedded model's weights are not in this checkout")
    model = open_model("tiny", device="cpu")
    side = model.profile.tile_px
    image = np.full((side, side, 3), 120, dtype=np.uint8)
    pieces = list(model.generate([Request("r", (image,), "", "How many airplanes are in the image?")]))
    assert finishes(pieces)["r"] in {"stop", "length"}
    assert texts(pieces)["r"].strip()
    assert all(piece.logprob is not None for piece in pieces)
