"""The in-process adapter on a real vLLM engine: the same answers as transformers, streamed, cancelled, named."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from groundproof.errors import ModelError
from groundproof.models.base import Piece, Request
from groundproof.models.resolve import resolve
from groundproof.models.transformers_adapter import TransformersModel
from groundproof.models.vllm_adapter import VllmModel, load
from groundproof.models.vllm_reading import image_name

from .conftest import N_TILES, by_request, request, texts

NEAR_TIE = 1e-3
"""Difference of two logits that the order of additions in float32 may turn round."""


@pytest.fixture(scope="module")
def ours(model: VllmModel, requests: list[Request]) -> dict[str, list[Piece]]:
    return by_request(list(model.generate(requests)))


@pytest.fixture(scope="module")
def theirs(reference: TransformersModel, requests: list[Request]) -> dict[str, list[Piece]]:
    return by_request(list(reference.generate(requests)))


def margin(reference: TransformersModel, request: Request, before: str) -> float:
    """How far the best token is ahead of the second, in logits, after this beginning of an answer."""
    prepared = reference._processing.prepare(request)
    answer = reference._processing.tokenizer.encode(before, add_special_tokens=False)
    ids = torch.tensor([prepared.ids + answer])
    kinds = torch.tensor([prepared.image_mask + [0] * len(answer)])
    with torch.inference_mode():
        logits = reference.model(input_ids=ids, mm_token_type_ids=kinds, **prepared.tensors).logits[0, -1]
    best = logits.topk(2).values
    return float(best[0] - best[1])


def test_greedy_answers_equal_transformers_token_for_token(
    ours: dict[str, list[Piece]],
    theirs: dict[str, list[Piece]],
    reference: TransformersModel,
    requests: list[Request],
    tell: Callable[[str], None],
) -> None:
    assert len(ours) == len(theirs) == N_TILES
    different = []
    for asked in requests:
        a, b = ([p.text for p in side[asked.request_id]] for side in (ours, theirs))
        if a != b:
            place = next(k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
            ahead = margin(reference, asked, "".join(b[:place]))
            different.append(
                f"tile {asked.request_id}, token {place}: {a[place]!r} for {b[place]!r}, {ahead=}"
            )
            assert ahead < NEAR_TIE, different[-1]
    equal = f"{N_TILES - len(different)} of {N_TILES} answers are those of transformers, token for token"
    tell("\n".join([equal, *different]))
    assert len(different) <= N_TILES // 10, different


def test_log_probabilities_equal_transformers(
    ours: dict[str, list[Piece]], theirs: dict[str, list[Piece]]
) -> None:
    for name, pieces in ours.items():
        a, b = [p.logprob for p in pieces], [p.logprob for p in theirs[name]]
        if [p.text for p in pieces] == [p.text for p in theirs[name]]:
            assert a == pytest.approx(b, abs=1e-3)
            assert [p.finish for p in pieces] == [p.finish for p in theirs[name]]


def test_both_engines_see_the_same_prompt(
    model: VllmModel, reference: TransformersModel, requests: list[Request]
) -> None:
    asked = replace(requests[0], text="[count] How many <|image|> of <|user|> [gMASK] are there?")
    seen = _first_output(model, model._reading.prompt(asked)).prompt_token_ids
    assert seen == reference._processing.prepare(asked).ids


def test_the_identity_names_everything_that_decides_an_answer(
    model: VllmModel, reference: TransformersModel
) -> None:
    assert model.identity.startswith(f"{reference.identity}-vllm")
    assert model.constrains
    assert model.continuous


def test_pieces_come_while_the_model_writes(model: VllmModel, requests: list[Request]) -> None:
    pulled = 0

    def source() -> Any:
        nonlocal pulled
        for asked in requests:
            pulled += 1
            yield asked

    pieces = model.generate(source())
    first = next(pieces)
    assert first.finish is None
    assert first.text
    assert pulled <= model.max_in_flight
    pieces.close()


def test_leaving_cancels_what_runs(model: VllmModel, requests: list[Request]) -> None:
    pieces = model.generate([replace(r, max_new_tokens=700) for r in requests[:8]])
    next(pieces)
    pieces.close()

    async def unfinished() -> int:
        for _ in range(100):
            if not model._engine.output_processor.has_unfinished_requests():
                return 0
            await asyncio.sleep(0.05)
        return int(model._engine.output_processor.get_num_unfinished_requests())

    assert model._bridge.run(unfinished()) == 0


def test_threads_may_ask_at_once(
    model: VllmModel, requests: list[Request], ours: dict[str, list[Piece]]
) -> None:
    found: dict[int, dict[str, str]] = {}

    def ask(part: int) -> None:
        found[part] = texts(list(model.generate(requests[part::3][:4])))

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in range(3):
        assert found[part] == {
            r.request_id: "".join(p.text for p in ours[r.request_id]) for r in requests[part::3][:4]
        }


def test_a_tile_that_was_seen_is_known_by_its_name(model: VllmModel) -> None:
    """vLLM takes a prompt without pixels when it has the image of that name: so a second question encodes nothing."""
    first, second = request(200, "How many ships are there?"), request(200, "Are there any trees?")
    assert image_name(first.images[0]) == image_name(second.images[0])
    assert image_name(first.images[0]) != image_name(request(201, "x?").images[0])
    expected = _first_output(model, model._reading.prompt(second)).outputs[0].token_ids
    _first_output(model, model._reading.prompt(first))
    without = model._reading.prompt(second) | {"multi_modal_data": {"image": [None]}}
    assert _first_output(model, without).outputs[0].token_ids == expected


def test_names_of_images_tell_sizes_apart() -> None:
    assert image_name(np.zeros((28, 56, 3), np.uint8)) != image_name(np.zeros((56, 28, 3), np.uint8))


def _first_output(model: VllmModel, prompt: dict[str, Any]) -> Any:
    from vllm import SamplingParams

    async def last() -> Any:
        found = None
        name = f"test-{next(model._numbers)}"
        async for output in model._engine.generate(prompt, SamplingParams(temperature=0, max_tokens=8), name):
            found = output
        return found

    return model._bridge.run(last())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": (np.zeros((30, 224, 3), np.uint8),)}, "multiples of 28"),
        ({"images": (np.zeros((28, 28, 3), np.uint8),)}, "would be resized"),
        ({"images": (np.zeros((224, 224), np.uint8),)}, "height, width, 3"),
        ({"images": (np.zeros((224, 224, 3), np.uint8),) * 9}, "image"),
        ({"max_new_tokens": 0}, "at least 1"),
        ({"grammar": "root ::= nonsense("}, "rammar"),
        ({"text": "ship " * 4000}, "2048"),
    ],
)
def test_one_bad_request_ends_with_a_sentence_and_the_others_go_on(
    model: VllmModel,
    requests: list[Request],
    ours: dict[str, list[Piece]],
    change: dict[str, Any],
    words: str,
) -> None:
    bad = replace(requests[0], request_id="bad", **change)
    answers = by_request(list(model.generate([requests[1], bad, requests[2]])))
    last = answers.pop("bad")[-1]
    assert last.finish == "error"
    assert words in (last.error or "")
    assert [p.text for p in answers["1"]] == [p.text for p in ours["1"]]
    assert len(answers) == 2


def test_an_engine_that_dies_is_said_in_a_sentence() -> None:
    """An engine of its own: nothing can be asked of it afterwards."""
    import psutil

    before = set(psutil.Process().children(recursive=True))
    model = load(resolve("vllm:tiny"), max_in_flight=2)
    asked = [request(i, "How many buildings are there?", tokens=700) for i in range(4)]
    started = set(psutil.Process().children(recursive=True)) - before
    pieces = model.generate(asked)
    next(pieces)
    for process in started:
        if "EngineCore" in process.name():
            process.kill()
    with pytest.raises(ModelError, match=r"tiny.*died"):
        list(pieces)
    model.close()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not [p for p in alive if "VLLM" in p.name()]
    with pytest.raises(ModelError, match="closed"):
        list(model.generate(asked))


def test_a_device_that_this_vllm_cannot_use_is_refused() -> None:
    with pytest.raises(ModelError, match="runs on cpu, not on 'cuda'"):
        load(resolve("vllm:tiny"), device="cuda")


def test_without_the_plugin_glm4v_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_PLUGINS", "another")
    with pytest.raises(ModelError, match="VLLM_PLUGINS"):
        load(resolve("vllm:tiny"))
