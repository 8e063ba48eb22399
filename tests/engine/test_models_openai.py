"""Models behind OpenAI-compatible servers: what is sent, what comes back, and what happens when they fail."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import traceback
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from groundproof.boxes import BoxFrame
from groundproof.errors import ModelError
from groundproof.models import retrying
from groundproof.models.base import Piece, Request
from groundproof.models.encoding import ImageEncoder
from groundproof.models.endpoint import INSECURE, KEY, Endpoint, ImageFormat, parse_endpoint
from groundproof.models.openai_adapter import OpenAIModel, plain
from groundproof.models.probing import probe, served_model
from groundproof.models.profiles import PROFILES
from groundproof.models.retrying import Backoff, clean
from groundproof.models.token_text import Token, TokenText
from groundproof.protocol import Task
from groundproof.protocol.constraint import after_opening, grammar

from .model_server import (
    ModelServer,
    break_after,
    chunk,
    hang,
    hang_up,
    nobody,
    pictures,
    refuse,
)
from .square_finder import SquareFinder

QUICK = Backoff(tries=4, first_s=0.01, longest_s=0.02, total_s=2.0)
TOKENS = ["<think>", "<plan>", "Look", ".", "</plan>", "</think>", "<answer>", "1", "</answer>"]
SECRET = "sk-very-secret-1234567890"  # noqa: S105 - of nobody


def image(seed: int = 0, size: int = 56) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def request(number: int = 0, **changes: Any) -> Request:
    fields: dict[str, Any] = {"images": (image(number),), "system": "", "text": "[count] How many?"}
    return Request(str(number), **{**fields, **changes})


def opened(server: ModelServer, profile: str = "tiny", places: int = 4, **options: Any) -> OpenAIModel:
    endpoint = parse_endpoint(server.url)
    found = probe(endpoint, QUICK)
    return OpenAIModel(PROFILES[profile], endpoint, found, places, **{"backoff": QUICK, **options})


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KEY, "OPENAI_API_KEY", INSECURE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda body: TOKENS) as running:
        yield running


@pytest.fixture
def model(server: ModelServer) -> Iterator[OpenAIModel]:
    model = opened(server)
    yield model
    model.close()


# What comes back.


def test_every_token_is_one_piece_with_its_own_log_probability(model: OpenAIModel) -> None:
    pieces = list(model.generate([request()]))
    assert [p.text for p in pieces] == [*TOKENS, ""]
    assert [p.logprob for p in pieces] == [-0.1] * len(TOKENS) + [None]
    assert [p.finish for p in pieces] == [None] * len(TOKENS) + ["stop"]


def test_the_stand_in_is_understood_by_the_openai_client_in_the_same_way(server: ModelServer) -> None:
    client = openai.OpenAI(base_url=server.url, api_key="x", max_retries=0)
    stream = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "?"}], stream=True, logprobs=True
    )
    assert "".join(c.choices[0].delta.content or "" for c in stream) == "".join(TOKENS)


def test_a_model_behind_http_sees_the_same_pixels_and_answers_as_in_process() -> None:
    finder = SquareFinder()
    tiles = []
    for number in range(12):
        tile = np.full((224, 224, 3), 40, dtype=np.uint8)
        tile[10 * number : 10 * number + 30, 50:90] = 250
        tiles.append(Request(str(number), (tile, tile // 2), "", "[count] How many?"))
    here: dict[str, str] = {}
    for piece in finder.generate(tiles):
        here[piece.request_id] = here.get(piece.request_id, "") + piece.text
    with ModelServer(lambda body: list(finder.say(*pictures(body)))) as server:
        model = opened(server)
        there: dict[str, str] = {}
        for piece in model.generate(tiles):
            there[piece.request_id] = there.get(piece.request_id, "") + piece.text
        model.close()
    assert there == here


def test_reasoning_that_comes_apart_is_put_back_between_think_tags(server: ModelServer) -> None:
    for name in ("reasoning", "reasoning_content"):

        def apart(tokens: list[str], name: str = name) -> Iterator[dict[str, Any]]:
            yield chunk({"role": "assistant"})
            yield chunk({name: ""}, [(b"<think>", -0.3)])
            yield chunk({name: "I see "}, [(b"I see ", -0.1)])
            yield chunk({name: "one."}, [(b"one.", -0.2)])
            yield chunk({"content": "<answer>1"}, [(b"</think>", -0.5), (b"<answer>", -0.1), (b"1", -0.4)])
            yield chunk({"content": "</answer>"}, [(b"</answer>", -0.1)])
            yield chunk({}, [], "stop")

        server.chunks = apart
        model = opened(server)
        pieces = list(model.generate([request()]))
        model.close()
        assert text_of(pieces) == "<think>I see one.</think><answer>1</answer>"
        assert sum(p.logprob or 0 for p in pieces) == pytest.approx(-0.9)
        assert all(p.logprob is not None for p in pieces[:-1])


def test_a_template_that_opens_the_thinking_is_seen_and_said_before_the_answer() -> None:
    ebnf = grammar(Task.COUNT, "How many ships?", BoxFrame.PER_MILLE)
    with ModelServer(lambda body: TOKENS[1:], template_end="<|assistant|>\u010a<think>\u010a") as server:
        model = opened(server)
        pieces = list(model.generate([request(grammar=ebnf)]))
        model.close()
        assert text_of(pieces) == "".join(TOKENS)
        assert pieces[0].text == "<think>"
        assert server.bodies[0]["structured_outputs"] == {"grammar": after_opening(ebnf)}
    with ModelServer(lambda body: TOKENS, template_end="<think>\u010a\u010a</think>") as server:
        assert probe(parse_endpoint(server.url)).opening == ""


def test_a_server_without_log_probabilities_gives_text_without_scores(server: ModelServer) -> None:
    server.script.append(refuse(400, "logprobs are not supported by this model"))
    server.chunks = lambda tokens: iter(
        [chunk({"content": "one "}), chunk({"content": "ship"}, [], "length")]
    )
    model = opened(server)
    for number in range(2):
        pieces = list(model.generate([request(number)]))
        assert [(p.text, p.logprob) for p in pieces] == [("one ", None), ("ship", None), ("", None)]
        assert pieces[-1].finish == "length"
    model.close()
    assert [body.get("logprobs") for body in server.bodies] == [True, None, None]


def test_a_refusal_and_a_content_filter_are_one_sentence(server: ModelServer) -> None:
    server.chunks = lambda tokens: iter(
        [chunk({"refusal": "I can't help\nwith that."}), chunk({}, [], "stop")]
    )
    model = opened(server)
    (end,) = model.generate([request()])
    assert (end.finish, end.error) == ("error", "The model declined to answer: I can't help with that.")
    server.chunks = lambda tokens: iter([chunk({"content": "a"}), chunk({}, [], "content_filter")])
    assert list(model.generate([request()]))[-1].error == "The server's content filter stopped the answer."
    model.close()


# What is sent.


def test_the_order_is_system_images_question_and_images_are_lossless_pixels(
    model: OpenAIModel, server: ModelServer
) -> None:
    asked = request(images=(image(1), image(2, 84)), system="Look closely.", max_new_tokens=77)
    list(model.generate([asked]))
    body = server.bodies[0]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][0]["content"] == "Look closely."
    assert [part["type"] for part in body["messages"][1]["content"]] == ["image_url", "image_url", "text"]
    for sent, original in zip(pictures(body), asked.images, strict=True):
        np.testing.assert_array_equal(sent, original)
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (77, 0.0, 1.0)
    assert body["logprobs"] is True


def test_only_vllm_gets_what_is_not_of_the_standard() -> None:
    ebnf = grammar(Task.COUNT, "How many ships?", BoxFrame.PER_MILLE)
    for version, constrains in (("0.32.0", True), ("0.12.1rc1+cpu", True), ("0.11.2", False), (None, False)):
        with ModelServer(lambda body: TOKENS, vllm=version) as server:
            model = opened(server, "rsthinker")
            list(model.generate([request(grammar=ebnf)]))
            model.close()
            body = server.bodies[0]
        assert model.constrains == constrains
        assert body.get("structured_outputs") == ({"grammar": ebnf} if constrains else None)
        assert body.get("repetition_penalty") == (1.1 if version else None)
        assert body.get("skip_special_tokens") == (False if version else None)
        assert body["max_tokens"] == 8192


def test_no_grammar_is_sent_to_a_server_that_takes_the_reasoning_out(server: ModelServer) -> None:
    server.chunks = lambda tokens: iter([chunk({"reasoning": "x"}), chunk({"content": "1"}, [], "stop")])
    model = opened(server)
    for number in range(2):
        list(model.generate([request(number, grammar='root ::= "x"')]))
    model.close()
    assert ["structured_outputs" in body for body in server.bodies] == [True, False]


@pytest.mark.parametrize(
    "token",
    [
        "<|user|>",
        "<|image|>",
        "[gMASK]",
        "<image>",
        "</s>",
        "<|im_start|>",
        "<IMG_CONTEXT>",
        "[INST]",
        "<\uff5cend\uff5c>",
    ],
)
def test_control_tokens_in_a_question_are_broken_and_nothing_else_is(
    token: str, model: OpenAIModel, server: ModelServer
) -> None:
    list(model.generate([request(text=f"Count {token} ships in <answer>", system=token)]))
    system, user = server.bodies[0]["messages"]
    sent = user["content"][-1]["text"]
    assert token not in sent
    assert sent.replace(" ", "") == f"Count{token}shipsin<answer>"
    assert system["content"] == token  # ours, not a person's


@given(st.text(st.sampled_from("<|>/[] sINSTimageuser_")))
def test_breaking_control_tokens_only_adds_spaces_and_leaves_none(text: str) -> None:
    broken = plain(text)
    assert broken.replace(" ", "") == text.replace(" ", "")
    assert plain(broken) == broken


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(["png", "webp"]))
def test_lossless_formats_are_read_by_gdal_as_the_same_pixels(
    height: int, width: int, image_format: ImageFormat
) -> None:
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    encoder = ImageEncoder(image_format)
    head, _, data = asyncio.run(encoder.data_uri(pixels)).partition(",")
    encoder.close()
    assert head == f"data:image/{image_format};base64"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile(base64.b64decode(data)) as memory, memory.open() as read:
            np.testing.assert_array_equal(read.read(), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("image_format", ["webp", "png", "jpeg"])
def test_the_format_of_images_is_selectable(image_format: str) -> None:
    with ModelServer(lambda body: TOKENS) as server:
        endpoint = parse_endpoint(f"{server.url}?images={image_format}")
        model = OpenAIModel(PROFILES["tiny"], endpoint, probe(endpoint), backoff=QUICK)
        smooth = np.add.outer(np.arange(84), np.arange(84)).astype(np.uint8)
        asked = request(images=(np.stack([smooth, smooth // 2, 255 - smooth], axis=2),))
        list(model.generate([asked]))
        model.close()
        url = server.bodies[0]["messages"][0]["content"][0]["image_url"]["url"]
        assert url.startswith(f"data:image/{image_format};base64,")
        difference = np.abs(pictures(server.bodies[0])[0].astype(int) - asked.images[0])
    assert difference.max() == 0 if image_format != "jpeg" else difference.mean() < 3
    assert model.identity.endswith("-jpeg") == (image_format == "jpeg")


def test_a_tile_that_is_no_image_costs_only_its_own_request(model: OpenAIModel) -> None:
    gray = np.zeros((28, 28), dtype=np.uint8)
    ends = {p.request_id: p for p in model.generate([request(0, images=(gray,)), request(1)]) if p.finish}
    assert ends["1"].finish == "stop"
    assert (
        ends["0"].error == "A tile cannot be sent: an image is uint8 (height, width, 3), got uint8 (28, 28)."
    )


# Which model, which key.


def test_the_identity_names_profile_model_server_and_revision_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    models = [
        {"id": "geo", "root": "/home/x/models--a--b/snapshots/abc123", "created": 5, "owned_by": "vllm"}
    ]
    with ModelServer(lambda body: TOKENS, models=models, key=SECRET) as server:
        model = opened(server, "rsthinker")
        model.close()
        port = server.url.split(":")[2].removesuffix("/v1")
    assert model.identity == f"rsthinker-geo@127.0.0.1:{port}-abc123"


def test_the_served_model_is_the_only_one_or_the_one_named() -> None:
    models = [{"id": "a"}, {"id": "b"}]
    with ModelServer(lambda body: TOKENS, models=models) as server:
        with pytest.raises(ModelError, match=r"serves 2 models: a, b\. Name one .*/v1#MODEL"):
            served_model(parse_endpoint(server.url))
        assert served_model(parse_endpoint(f"{server.url}#b")) == "b"
        with pytest.raises(ModelError, match=r"does not serve 'c'\. It serves: a, b"):
            served_model(parse_endpoint(f"{server.url}#c"))
        server.models = []
        with pytest.raises(ModelError, match="serves 0 models"):
            served_model(parse_endpoint(server.url))


def test_a_gateway_without_a_list_of_models_takes_the_name_given(server: ModelServer) -> None:
    server.listing = refuse(404, "no such route")
    assert served_model(parse_endpoint(f"{server.url}#geo"), QUICK) == "geo"
    with pytest.raises(ModelError, match="HTTP 404"):
        served_model(parse_endpoint(server.url), QUICK)


def test_an_address_where_nothing_answers_is_said_with_what_to_do() -> None:
    with (
        nobody() as url,
        pytest.raises(ModelError, match=r"no connection to 127.*\(Connection refused\).*vllm serve"),
    ):
        served_model(parse_endpoint(url), QUICK)


def test_the_key_is_sent_and_without_one_nothing_is(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    model = opened(server)
    list(model.generate([request()]))
    model.close()
    for _, headers, _ in server.asked:
        assert not {"authorization", "openai-organization", "openai-project"} & set(headers)
    monkeypatch.setenv(KEY, SECRET)
    model = opened(server)
    list(model.generate([request()]))
    model.close()
    assert server.asked[-1][1]["authorization"] == f"Bearer {SECRET}"


def test_a_refused_key_ends_everything_and_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with ModelServer(lambda body: TOKENS) as server:
        model = opened(server)
        server.key = "another"  # and now the server's answer repeats the key it was sent
        with pytest.raises(
            ModelError, match=rf"refuses the key, or wants one in {KEY} \(HTTP 401\)"
        ) as caught:
            list(model.generate([request()]))
        assert len(server.bodies) == 1
        with pytest.raises(ModelError, match="HTTP 401") as probing:
            probe(parse_endpoint(server.url), QUICK)
        model.close()
    for error in (caught.value, probing.value):
        assert SECRET not in "".join(traceback.format_exception(error))


def test_a_key_does_not_cross_a_network_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    assert parse_endpoint("http://localhost:8000/v1").key() == SECRET
    assert parse_endpoint("http://[::1]:8000/v1").key() == SECRET
    assert parse_endpoint("https://gpu.example/v1").key() == SECRET
    far = parse_endpoint("http://gpu.example:8000/v1")
    with pytest.raises(ModelError, match="not encrypted, so everyone on the way") as caught:
        far.key()
    assert SECRET not in str(caught.value)
    monkeypatch.setenv(INSECURE, "1")
    assert far.key() == SECRET
    monkeypatch.setenv(KEY, "two words")
    with pytest.raises(ModelError, match="holds characters that no key has"):
        far.key()


def test_openais_own_key_goes_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert parse_endpoint("https://api.openai.com/v1").key() == SECRET
    assert parse_endpoint("https://api.openai.com.evil.example/v1").key() is None
    assert parse_endpoint("http://localhost:1/v1").key() is None


def test_a_proxy_of_the_environment_is_used_except_for_this_machine(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
    with pytest.raises(ModelError, match="HTTP 404"):
        served_model(parse_endpoint("http://gpu.example:8000/v1"), QUICK)
    assert server.asked[-1][0] == "http://gpu.example:8000/v1/models"
    assert served_model(parse_endpoint(server.url)) == "tiny"
    assert server.asked[-1][0] == "/v1/models"


def test_a_redirect_is_not_followed(model: OpenAIModel, server: ModelServer) -> None:
    with ModelServer(lambda body: TOKENS) as elsewhere:
        server.always = refuse(307, "moved", {"location": f"{elsewhere.url}/chat/completions"})
        piece = last(model)
    assert piece.error is not None
    assert "(HTTP 307)" in piece.error
    assert elsewhere.asked == []


# What fails.


def last(model: OpenAIModel, asked: Request | None = None) -> Piece:
    return list(model.generate([asked or request()]))[-1]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_asked_again(status: int, model: OpenAIModel, server: ModelServer) -> None:
    server.script.extend([refuse(status, "busy"), hang_up])
    pieces = list(model.generate([request()]))
    assert text_of(pieces) == "".join(TOKENS)
    assert len(server.bodies) == 3


@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_refusal_is_not_asked_again_and_says_what_the_server_said(
    status: int, model: OpenAIModel, server: ModelServer
) -> None:
    data = "data:image/webp;base64," + "A" * 500
    server.script.append(refuse(status, f"the picture {data}\nis bad"))
    piece = last(model)
    assert piece.finish == "error"
    assert piece.error is not None
    assert f"(HTTP {status}): the picture [...] is bad" in piece.error
    assert len(server.bodies) == 1


def test_an_unknown_model_ends_everything(model: OpenAIModel, server: ModelServer) -> None:
    server.always = refuse(404, "The model `tiny` does not exist.")
    with pytest.raises(ModelError, match=r"does not know this model .*does not exist.*kept"):
        list(model.generate(request(n) for n in range(50)))


def test_after_its_tries_a_request_is_an_error_piece_and_the_others_are_answered(
    model: OpenAIModel, server: ModelServer
) -> None:
    def fail_third(handler: Any, body: dict[str, Any]) -> None:
        if np.array_equal(pictures(body)[0], image(3)):
            handler.reply(500, {"error": "out of memory"})
        else:
            handler.stream(server.chunks(TOKENS))

    server.always = fail_third
    ends = {p.request_id: p for p in model.generate(request(n) for n in range(12)) if p.finish}
    assert {n for n, p in ends.items() if p.finish == "error"} == {"3"}
    assert ends["3"].error is not None
    assert ends["3"].error.endswith("could not answer (HTTP 500): out of memory. Asked 4 times.")


def test_retry_after_is_honoured(server: ModelServer) -> None:
    waited: list[float | None] = []

    class Noting(Backoff):
        def wait_s(self, failed: int, retry_after_s: float | None, since_first_s: float) -> float | None:
            waited.append(super().wait_s(failed, retry_after_s, since_first_s))
            return waited[-1]

    server.script.append(refuse(429, "slow down", {"retry-after": "0.07"}))
    model = opened(server, backoff=Noting(tries=4, first_s=0.001, total_s=2.0))
    assert last(model).finish == "stop"
    assert waited == [0.07]
    server.script.append(refuse(429, "come back tomorrow", {"retry-after": "86400"}))
    piece = last(model)
    assert piece.error is not None
    assert "come back tomorrow" in piece.error
    model.close()


@given(st.integers(1, 20), st.floats(0, 200))
def test_back_off_grows_is_jittered_and_ends(failed: int, since: float) -> None:
    backoff = Backoff()
    wait = backoff.wait_s(failed, None, since)
    if failed >= backoff.tries:
        assert wait is None
    elif wait is not None:
        full = min(backoff.longest_s, backoff.first_s * 2 ** (failed - 1))
        assert full / 2 <= wait <= full
        assert since + wait <= backoff.total_s
    else:
        assert since + backoff.longest_s > backoff.total_s


def test_retry_after_may_be_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying.time, "time", lambda: 784111770.0)
    assert retrying._retry_after_s({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}) == pytest.approx(7.0)
    assert retrying._retry_after_s({"retry-after": "soon"}) is None
    assert retrying._retry_after_s({}) is None


def test_an_answer_that_breaks_off_is_continued_without_saying_anything_twice(
    model: OpenAIModel, server: ModelServer
) -> None:
    server.script.extend([break_after(4), break_after(7)])
    pieces = list(model.generate([request()]))
    assert [p.text for p in pieces] == [*TOKENS, ""]
    assert {p.logprob for p in pieces[:-1]} == {-0.1}
    assert len(server.bodies) == 3


def test_an_answer_that_breaks_off_and_comes_back_different_is_an_error(
    model: OpenAIModel, server: ModelServer
) -> None:
    answers = iter([["<think>", "one"], ["<think>", "two"]])
    server.say = lambda body: next(answers)
    server.script.append(break_after(3))
    pieces = list(model.generate([request()]))
    assert text_of(pieces) == "<think>one"
    assert pieces[-1].finish == "error"
    assert pieces[-1].error is not None
    assert "wrote another one" in pieces[-1].error


def test_an_error_inside_the_stream_is_asked_again(model: OpenAIModel, server: ModelServer) -> None:
    def failing(handler: Any, body: dict[str, Any]) -> None:
        handler.stream(
            iter([chunk({"content": "<think>"}), {"error": {"message": "engine hiccup", "code": 500}}])
        )

    server.script.append(failing)
    assert text_of(list(model.generate([request()]))) == "".join(TOKENS)


def test_a_stream_that_stops_without_an_end_or_holds_no_json_is_an_error_in_words(
    model: OpenAIModel, server: ModelServer
) -> None:
    server.always = lambda handler, body: handler.stream(iter([chunk({"content": "x"})]))
    piece = last(model)
    assert piece.error is not None
    assert "stopped in the middle of its answer" in piece.error
    server.always = lambda handler, body: handler.reply(200, {"choices": []})
    assert last(model).finish == "error"


def test_a_server_that_is_too_slow_is_asked_again(server: ModelServer) -> None:
    server.script.append(hang(1.0))
    model = opened(server, timeout=openai.Timeout(5.0, read=0.1))
    assert last(model).finish == "stop"
    server.always = hang(1.0)
    piece = last(model)
    assert piece.error is not None
    assert "did not answer in time. Asked 4 times." in piece.error
    model.close()


def test_a_question_too_long_is_said_and_a_limit_too_large_is_left_to_vllm(
    model: OpenAIModel, server: ModelServer
) -> None:
    message = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
    server.script.append(refuse(400, message))
    assert last(model).finish == "stop"
    assert ["max_tokens" in body for body in server.bodies] == [True, False]
    server.script.extend([refuse(400, message), refuse(400, message)])
    piece = last(model)
    assert piece.error is not None
    assert piece.error.startswith("The question and its images are too long for this model; shorten")


def test_a_dead_server_raises_after_three_rounds_and_recovers_later(server: ModelServer) -> None:
    server.always = refuse(503, "loading")
    model = opened(server, places=2)
    ends: list[Piece] = []
    with pytest.raises(
        ModelError, match=r"answered none of the last 6 requests.*loading.*groundproof resume"
    ):
        ends.extend(model.generate(request(n) for n in range(100)))
    assert len({str(body["messages"]) for body in server.bodies}) <= 8
    server.always = None
    assert last(model).finish == "stop"
    model.close()


def test_a_server_that_answers_now_and_then_is_not_dead(server: ModelServer) -> None:
    turn = iter(range(10_000))
    lock = threading.Lock()

    def mostly_down(handler: Any, body: dict[str, Any]) -> None:
        with lock:
            number = next(turn)
        if number % 10 == 9:
            handler.stream(server.chunks(TOKENS))
        else:
            handler.reply(503, {"error": "overloaded"})

    server.always = mostly_down
    model = opened(server, places=1, backoff=Backoff(tries=4, first_s=0.001, total_s=2.0))
    ends = [p.finish for p in model.generate(request(n) for n in range(20)) if p.finish]
    assert len(ends) == 20
    assert {"stop", "error"} == set(ends)
    model.close()


def test_close_cancels_what_is_asked(server: ModelServer) -> None:
    server.always = hang(20.0)
    model = opened(server)
    threading.Timer(0.2, model.close).start()
    assert {p.finish for p in model.generate(request(n) for n in range(3))} == {"cancelled"}
    with pytest.raises(ModelError, match="was closed"):
        list(model.generate([request()]))


def test_requests_run_side_by_side_over_connections_that_are_used_again(server: ModelServer) -> None:
    meet = threading.Barrier(4, timeout=10)

    def together(body: dict[str, Any]) -> list[str]:
        meet.wait()
        return TOKENS

    server.say = together
    model = opened(server, places=4)
    before = server.connections
    assert sum(p.finish == "stop" for p in model.generate(request(n) for n in range(40))) == 40
    model.close()
    assert server.most_at_once == 4
    assert server.connections - before <= 8


@given(st.text(), st.text(min_size=1))
def test_a_servers_message_is_repeated_without_key_and_in_one_line(message: str, around: str) -> None:
    said = clean(f"{message}{SECRET}{around}", SECRET)
    assert SECRET not in said
    assert "\n" not in said
    assert len(said) <= retrying.LONGEST_MESSAGE + 4


# Addresses.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://localhost:8000/v1", Endpoint("http://localhost:8000/v1")),
        ("https://GPU.example/v1/", Endpoint("https://gpu.example/v1")),
        (
            "https://gpu.example/team/v1#org%2Fmodel-7b",
            Endpoint("https://gpu.example/team/v1", "org/model-7b"),
        ),
        ("http://[::1]:9/v1?images=jpeg#m", Endpoint("http://[::1]:9/v1", "m", "jpeg")),
    ],
)
def test_an_address_is_read(text: str, expected: Endpoint) -> None:
    assert parse_endpoint(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http:///v1",
        "http://host",
        "http://host:99999/v1",
        "http://host:port/v1",
        "ftp://host/v1",
        "http://host/v1/chat/completions",
        "http://host/v1?api_key=" + SECRET,
        "http://host/v1?images=gif",
        "http://user:" + SECRET + "@host/v1",
        "http://" + SECRET + "@host/v1",
    ],
)
def test_other_addresses_are_refused_and_secrets_in_them_not_repeated(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_endpoint(text)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "server", "loopback"),
    [
        ("http://localhost:8000/v1", "localhost:8000", True),
        ("http://127.9.9.9/v1", "127.9.9.9:80", True),
        ("https://[::1]/v1", "[::1]:443", True),
        ("https://localhost.example/v1", "localhost.example:443", False),
    ],
)
def test_an_address_knows_its_server_and_whether_it_is_this_machine(
    url: str, server: str, loopback: bool
) -> None:
    endpoint = parse_endpoint(url)
    assert (endpoint.server, endpoint.loopback) == (server, loopback)
    assert endpoint.image_format == ("png" if loopback else "webp")


# Text and tokens.


def fed(steps: list[tuple[str, list[Token]]]) -> list[tuple[str, float | None]]:
    stream = TokenText()
    bits = [bit for text, tokens in steps for bit in stream.feed(text, tokens)] + stream.flush()
    return [(bit.text, bit.logprob) for bit in bits]


def arrival(data: bytes, cuts: list[int]) -> list[tuple[str, bytes]]:
    """Tokens of a text cut at byte positions, each with the characters that are whole when it has come."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    given = ""
    steps = []
    for start, end in pairwise(places):
        whole = data[:end].decode("utf-8", "ignore")
        steps.append((whole[len(given) :], data[start:end]))
        given = whole
    return steps


TEXT = st.text(st.sampled_from("aE1 [,]<>é中🛰️\u0301"), min_size=1, max_size=40)
CUTS = st.lists(st.integers(0, 200), max_size=60)


@settings(max_examples=200)
@given(TEXT, CUTS)
def test_tokens_cut_anywhere_give_whole_characters_and_the_sum_of_their_log_probabilities(
    text: str, cuts: list[int]
) -> None:
    steps = arrival(text.encode(), cuts)
    bits = fed([(new, [Token(data, -1.0)]) for new, data in steps])
    assert "".join(bit for bit, _ in bits) == text
    assert sum(logprob or 0 for _, logprob in bits) == -len(steps)
    assert all(logprob is not None for _, logprob in bits)
    whole = [new for new, data in steps if new and data.decode("utf-8", "ignore") == new]
    assert len(bits) >= len(whole)


@settings(max_examples=200)
@given(TEXT, CUTS, st.sets(st.integers(0, 60)), st.integers(1, 5))
def test_tokens_that_make_no_text_and_text_that_comes_late_lose_nothing(
    text: str, cuts: list[int], extra: set[int], at_a_time: int
) -> None:
    steps = arrival(text.encode(), cuts)
    fed_steps: list[tuple[str, list[Token]]] = []
    for start in range(0, len(steps), at_a_time):
        tokens = []
        for number, (_, data) in enumerate(steps[start : start + at_a_time], start):
            if number in extra:
                tokens.append(Token(b"<|special|>", -100.0))
            tokens.append(Token(data, -1.0))
        fed_steps.append(("".join(new for new, _ in steps[start : start + at_a_time]), tokens))
    bits = fed([*fed_steps, ("", [Token(b"<|end|>", -100.0)])])
    assert "".join(bit for bit, _ in bits) == text


def test_a_token_that_makes_no_text_costs_nothing_and_delays_nothing() -> None:
    stream = TokenText()
    assert stream.feed("", [Token(b"<think>", -3.0)]) == []
    (bit,) = stream.feed("plan", [Token(b"plan", -1.0)])
    assert (bit.text, bit.logprob) == ("plan", -1.0)


def test_bytes_that_a_server_replaced_still_count_for_the_character_they_made() -> None:
    replaced = "\ufffd".encode()
    steps: list[tuple[str, list[Token]]] = [
        ("", [Token(replaced, -1.0)]),
        ("中", [Token(replaced, -2.0)]),
        ("b", [Token(b"b", -0.5)]),
    ]
    assert fed(steps) == [("中", -3.0), ("b", -0.5)]


def test_text_cut_inside_a_token_at_the_end_keeps_the_tokens_log_probability() -> None:
    assert fed([("one", [Token(b"one.", -1.0)])]) == [("one", -1.0)]
    assert fed([("no tokens", [])]) == [("no tokens", None)]


def test_json_of_a_request_holds_no_address_a_person_wrote(model: OpenAIModel, server: ModelServer) -> None:
    list(model.generate([request(text="Look at https://evil.example/x.png")]))
    parts = server.bodies[0]["messages"][0]["content"]
    assert [part["image_url"]["url"][:11] for part in parts if part["type"] == "image_url"] == ["data:image/"]
    assert json.dumps(parts).count("https://evil.example") == 1
