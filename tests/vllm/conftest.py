"""One vLLM engine and one transformers model for all tests of this folder, over the same 50 tiles.

Run in the environment that `scripts/test --vllm` makes; where vLLM is not installed nothing here is collected.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from groundproof.models.base import Piece, Request
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.resolve import resolve
from groundproof.protocol import infer_task, render, target_labels
from groundproof.protocol.constraint import grammar

collect_ignore_glob = [] if find_spec("vllm") else ["test_*.py"]

if TYPE_CHECKING:
    from groundproof.models.transformers_adapter import TransformersModel
    from groundproof.models.vllm_adapter import VllmModel

N_TILES = 50
TILE_PX = 224
TOKENS = 64
"""Of each answer: boxes begin at the 15th token or so; on two cores more would only take longer."""

QUESTIONS = (
    "How many buildings are there?",
    "Find all vehicles.",
    "Are there any trees?",
    "Describe the image.",
    "Classify this image.",
    "Find all storage tanks.",
    "How many airplanes are there?",
    "Describe the image with boxes.",
)


def question(i: int) -> str:
    return QUESTIONS[i % len(QUESTIONS)]


def request(i: int, text: str, *, constrained: bool = False, tokens: int | None = TOKENS) -> Request:
    """The i-th tile and a question, as the engine would ask it."""
    from groundproof_training.scenes import WorldSpec, make_scene

    profile = resolve("tiny").profile
    task = infer_task(text).task
    labels = target_labels(text, task)
    prompt = render(task, text, profile, labels)
    return Request(
        f"{i}",
        (make_scene(4000 + i, TILE_PX, TILE_PX, WorldSpec()).image,),
        prompt.system,
        prompt.text,
        tokens,
        grammar(task, text, profile.frame, labels) if constrained else None,
    )


def by_request(pieces: list[Piece]) -> dict[str, list[Piece]]:
    answers: dict[str, list[Piece]] = {}
    for piece in pieces:
        answers.setdefault(piece.request_id, []).append(piece)
    return answers


def texts(pieces: list[Piece]) -> dict[str, str]:
    return {name: "".join(p.text for p in found) for name, found in by_request(pieces).items()}


_told: list[str] = []


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Takes a line for the end of the run: shares that are measured and not asserted."""
    return _told.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _told:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(_told))


@pytest.fixture(scope="session")
def requests() -> list[Request]:
    return [request(i, question(i)) for i in range(N_TILES)]


@pytest.fixture(scope="session")
def model() -> Iterator[VllmModel]:
    from groundproof.models.vllm_adapter import load

    model = load(resolve(f"vllm:{EMBEDDED_FOLDER}"))
    yield model
    model.close()
    for process in multiprocessing.active_children():
        process.join(10)
    assert not multiprocessing.active_children(), "vLLM's processes outlived their model"


@pytest.fixture(scope="session")
def reference() -> TransformersModel:
    from groundproof.models.transformers_adapter import load

    return load(resolve(str(EMBEDDED_FOLDER)), device="cpu")
