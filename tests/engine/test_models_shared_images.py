"""Several questions about one tile: the in-process adapter encodes its image once, and answers as if it had not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from groundproof.models.base import Piece, Request
from groundproof.models.decoding import Batch, Decoding, Row
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.known_images import KnownImages
from groundproof.models.open import open_model
from groundproof.models.processing import Patches, Prepared
from groundproof.models.profiles import get_profile
from groundproof.models.resolve import ModelSpec, resolve
from groundproof.models.transformers_adapter import TransformersModel, load
from tests.engine.test_models_support import finishes, noise, texts, write_checkpoint
from tests.engine.test_models_transformers import decoded, reference

N_TOKENS = 16
CLOSE = 1e-5
"""Natural log-probability of one token."""

SIZES = ((84, 112), (56, 56), (112, 84), (56, 112))
TILES = tuple(noise(seed, *SIZES[seed % 4]) for seed in range(4))
QUESTIONS = ("How many ships?", "Where are the airplanes in the image?", "?")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Random weights give near ties: how a sum is split over threads must not decide between two tokens."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("random-glm4v"))


@pytest.fixture(scope="module")
def model(folder: Path) -> TransformersModel:
    return load(resolve(str(folder)), device="cpu", max_in_flight=16)


def asked(*rows: tuple[Any, str], system: str = "Look.") -> list[Request]:
    """rows: numbers of tiles, and a question."""
    return [
        Request(str(k), tuple(TILES[t] for t in np.atleast_1d(tiles)), system, question, N_TOKENS)
        for k, (tiles, question) in enumerate(rows)
    ]


def apart(requests: list[Request]) -> list[Request]:
    """The same pixels in arrays of their own."""
    return [replace(r, images=tuple(image.copy() for image in r.images)) for r in requests]


def by_request(pieces: list[Piece]) -> dict[str, list[Piece]]:
    return {name: [p for p in pieces if p.request_id == name] for name in {p.request_id for p in pieces}}


def assert_same(ours: list[Piece], theirs: list[Piece]) -> None:
    """Token for token, log-probability for log-probability."""
    a, b = by_request(ours), by_request(theirs)
    assert a.keys() == b.keys()
    for name in a:
        assert [(p.text, p.finish, p.error) for p in a[name]] == [
            (p.text, p.finish, p.error) for p in b[name]
        ]
        for one, other in zip(a[name], b[name], strict=True):
            assert (one.logprob is None) == (other.logprob is None)
            assert abs((one.logprob or 0.0) - (other.logprob or 0.0)) < CLOSE


def together(model: TransformersModel, requests: list[Request]) -> list[Piece]:
    return list(model.generate(requests))


@pytest.fixture
def work(model: TransformersModel, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Counts what goes through the vision tower (patches) and the language model (places of all rows)."""
    counts = {"patches": 0, "places": 0}
    tower, language = model.model.model.visual, model.model.model.language_model
    see, read = tower.forward, language.forward

    def seeing(patches: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        counts["patches"] += len(patches)
        return see(patches, *args, **kwargs)

    def reading(*args: Any, **kwargs: Any) -> Any:
        counts["places"] += kwargs["inputs_embeds"].shape[:2].numel()
        return read(*args, **kwargs)

    monkeypatch.setattr(tower, "forward", seeing)
    monkeypatch.setattr(language, "forward", reading)
    return counts


CASES = {
    "three questions about each of three tiles": [(t, q) for t in range(3) for q in QUESTIONS],
    "tiles interleaved": [(t, q) for q in QUESTIONS for t in range(3)],
    "one tile of several asked twice": [(0, "?"), (1, "?"), (1, "How many ships?"), (2, "?")],
    "the same question twice": [(0, "?"), (0, "?")],
    "pairs of dates": [((0, 1), q) for q in QUESTIONS] + [((1, 0), "?"), (0, "?"), ((0, 0), "?")],
    "equal lengths, so no padding": [(0, "ship"), (0, "ship"), (0, "tank")],
}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES)
def test_answers_are_those_of_images_encoded_each_by_itself(
    model: TransformersModel, rows: list[tuple[Any, str]]
) -> None:
    requests = asked(*rows)
    shared = together(model, requests)
    assert_same(shared, together(model, apart(requests)))
    assert texts(shared) == {r.request_id: decoded(model, reference(model, r)) for r in requests}


tiles = st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3)))


@given(
    rows=st.lists(st.tuples(tiles, st.sampled_from(QUESTIONS)), min_size=2, max_size=7),
    system=st.sampled_from(["", "Look.", "Answer what is asked about the image."]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_mixture_of_tiles_and_questions_is_answered_the_same(
    model: TransformersModel, rows: list[tuple[Any, str]], system: str
) -> None:
    requests = asked(*rows, system=system)
    assert_same(together(model, requests), together(model, apart(requests)))


def test_an_image_is_seen_once_and_what_stands_before_the_question_read_once(
    model: TransformersModel, work: dict[str, int]
) -> None:
    requests = [replace(r, max_new_tokens=1) for r in asked(*((0, q) for q in QUESTIONS))]
    prepared = [model._processing.prepare(r) for r in requests]
    together(model, requests)
    beginning, longest = prepared[0].beginning, max(len(p.ids) for p in prepared)
    assert work["patches"] == (84 // 14) * (112 // 14)
    assert work["places"] == beginning + len(requests) * (longest - beginning)
    work.update(patches=0, places=0)
    together(model, apart(requests))
    assert work["patches"] == 3 * (84 // 14) * (112 // 14)
    assert work["places"] == len(requests) * longest


def test_an_image_under_two_system_texts_is_seen_once(model: TransformersModel, work: dict[str, int]) -> None:
    requests = [*asked((0, "?")), replace(asked((0, "?"))[0], request_id="other", system="Look!")]
    beginnings = {model._processing.prepare(r).beginning for r in requests}
    assert len(beginnings) == 1  # so that only the ids tell them apart
    shared = together(model, requests)
    assert work["patches"] == (84 // 14) * (112 // 14)
    assert_same(shared, together(model, apart(requests)))


def test_a_request_that_cannot_be_prepared_leaves_the_others_about_its_tile(model: TransformersModel) -> None:
    first, second, third = asked((0, "ship " * 5000), (0, "?"), (0, "How many ships?"))
    wrong = noise(0)[:, :100]
    refused = [Request(name, (TILES[0], wrong), "", "?", N_TOKENS) for name in ("a", "b")]
    requests = [refused[0], first, second, refused[1], third]
    shared = together(model, requests)
    assert {name for name, end in finishes(shared).items() if end == "error"} == {"a", "b", first.request_id}
    assert_same(shared, together(model, apart(requests)))


def test_a_question_without_an_image_stands_beside_shared_ones(model: TransformersModel) -> None:
    requests = [*asked((0, "?"), (0, "How many ships?")), Request("none", (), "Look.", "How many?", N_TOKENS)]
    assert_same(together(model, requests), together(model, apart(requests)))


def test_rows_that_stop_early_leave_the_others_of_their_tile(model: TransformersModel) -> None:
    requests = [
        replace(r, max_new_tokens=limit)
        for r, limit in zip(asked(*((0, q) for q in QUESTIONS)), (9, 2, 5), strict=True)
    ]
    assert_same(together(model, requests), together(model, apart(requests)))


def test_a_repetition_penalty_counts_the_shared_beginning_too(folder: Path) -> None:
    profile = get_profile("tiny").model_copy(update={"repetition_penalty": 1.3})
    model = load(ModelSpec(profile, folder), device="cpu")
    requests = asked(*((0, q) for q in QUESTIONS))
    assert texts(together(model, requests)) == {
        r.request_id: decoded(model, reference(model, r, repetition_penalty=1.3)) for r in requests
    }


def test_a_batch_too_large_for_the_memory_goes_on_shared(
    model: TransformersModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = asked(*CASES["three questions about each of three tiles"])
    expected = together(model, requests)
    forward, calls = Batch._forward, 0

    def starved(batch: Batch, ids: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if len(ids) > 4 and calls > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(batch, ids, *args, **kwargs)

    monkeypatch.setattr(Batch, "_forward", starved)
    assert_same(together(model, requests), expected)


def test_a_batch_is_the_same_with_and_without_the_one_before(folder: Path) -> None:
    """What a run does that was killed between the two, with the same tile in both."""
    requests = asked(*CASES["three questions about each of three tiles"])[:8]
    through = load(resolve(str(folder)), device="cpu", max_in_flight=4)
    whole = list(through.generate(requests))
    resumed = list(load(resolve(str(folder)), device="cpu", max_in_flight=4).generate(requests[4:]))
    last = {r.request_id for r in requests[4:]}
    assert [p for p in whole if p.request_id in last] == resumed


def test_only_the_same_array_counts_as_the_same_image(model: TransformersModel) -> None:
    images: KnownImages[Patches] = KnownImages()
    same, again = (model._prepare(r, images).row.prepared for r in asked((0, "?"), (0, "How many ships?")))
    other = model._prepare(apart(asked((0, "?")))[0], images).row.prepared
    assert same.patches[0] is again.patches[0]
    assert same.patches[0] is not other.patches[0]
    assert torch.equal(same.patches[0].values, other.patches[0].values)


def test_images_cut_one_by_one_are_those_of_transformers_processor_for_all_of_them(
    model: TransformersModel,
) -> None:
    processing: Any = model._processing
    theirs = processing.image_processor(
        images=list(TILES), input_data_format="channels_last", return_tensors="pt"
    )
    ours = processing.prepare(Request("r", TILES, "", "?")).tensors
    assert torch.equal(ours["pixel_values"], theirs["pixel_values"])
    assert torch.equal(ours["image_grid_thw"], theirs["image_grid_thw"])


def test_what_was_made_of_an_image_is_kept_for_as_many_as_said_the_last_used_first() -> None:
    made: list[int] = []

    def make(image: np.ndarray) -> int:
        made.append(int(image[0, 0, 0]))
        return made[-1]

    images = [np.full((1, 1, 3), k, dtype=np.uint8) for k in range(3)]
    known: KnownImages[int] = KnownImages(2)
    assert [known.of(images[k], make) for k in (0, 1, 0, 2, 0, 1)] == [0, 1, 0, 2, 0, 1]
    assert made == [0, 1, 2, 1]


def test_what_could_not_be_made_of_an_image_is_tried_again() -> None:
    def fail(image: np.ndarray) -> int:
        raise ValueError(image.shape)

    known: KnownImages[int] = KnownImages()
    with pytest.raises(ValueError, match="84, 112"):
        known.of(TILES[0], fail)
    assert known.of(TILES[0], lambda _: 1) == 1


VISION = {"depth": 2, "hidden_size": 32, "num_heads": 2, "intermediate_size": 64, "out_hidden_size": 32}
TEXT = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "mrope_section": [2, 1, 1]},
}
IDS = {"image_token_id": 60, "video_token_id": 61, "vision_start_token_id": 62, "vision_end_token_id": 63}


def qwen2_5() -> Any:
    vision = {**VISION, "fullatt_block_indexes": [1], "window_size": 112}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=TEXT, vision_config=vision, **IDS))


def qwen3() -> Any:
    vision = {**VISION, "deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=TEXT, vision_config=vision, **IDS))


@pytest.mark.parametrize("make", [qwen2_5, qwen3])
def test_the_other_families_share_an_image_too(make: Callable[[], Any]) -> None:
    torch.manual_seed(0)
    model = make().eval()
    vision = model.config.vision_config
    numbers = 3 * vision.temporal_patch_size * vision.patch_size**2

    def picture(rows: int, columns: int) -> Patches:
        return Patches(torch.randn(rows * columns, numbers), torch.tensor([[1, rows, columns]]))

    def row(pictures: list[Patches], question: list[int]) -> Row:
        ids, mask = [5, 6], [0, 0]
        for one in pictures:
            held = int(one.grid.prod()) // vision.spatial_merge_size**2
            ids, mask = [*ids, 62, *[60] * held, 63], [*mask, 0, *[1] * held, 0]
        return Row(Prepared(ids + question, mask + [0] * len(question), tuple(pictures)), 8)

    a, b = picture(4, 6), picture(6, 4)
    plan = [([a], [1, 2]), ([a], [3]), ([b], [1, 2]), ([b, a], [9]), ([b, a], [1, 2, 3, 4])]
    shared = Batch(model, [row(list(p), q) for p, q in plan], Decoding(frozenset(), 0))
    copies = [([Patches(one.values, one.grid) for one in p], q) for p, q in plan]
    single = [Batch(model, [row(list(p), q)], Decoding(frozenset(), 0)) for p, q in copies]
    for _ in range(8):
        tokens, logprobs = shared.step()
        alone = [one.step() for one in single]
        assert tokens == [chosen[0] for chosen, _ in alone]
        assert logprobs == pytest.approx([sure[0] for _, sure in alone], abs=CLOSE)


@pytest.mark.weights
def test_the_embedded_model_answers_three_questions_about_a_tile_as_one_by_one() -> None:
    if not (EMBEDDED_FOLDER / "model.safetensors").is_file():
        pytest.skip("the embedded model's weights are not in this checkout")
    model = open_model("tiny", device="cpu")
    side = model.profile.tile_px

    def requests() -> Iterator[Request]:
        for seed in range(2):
            tile = noise(seed, side, side)
            for label in ("airplane", "ship", "building"):
                yield Request(f"{seed} {label}", (tile,), "", f"[count] How many {label}s are there?", 48)

    made = list(requests())
    assert_same(list(model.generate(made)), list(model.generate(apart(made))))
