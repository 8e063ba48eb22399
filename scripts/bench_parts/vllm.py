"""What the engine costs around vLLM: python scripts/bench_parts/vllm.py [PART...]

offline   A whole question over a scene of 100 tiles by the engine, vLLM in process, against `LLM.generate` of the
          same vLLM with the same settings, prompts (token for token), images and sampling, all in memory
          beforehand: tiles per second.
http      `groundproof serve --model vllm:tiny` asked by 16 clients at once, each one image after the other in a
          form (Accept: application/json), against `LLM.generate` with all those prompts and images at once.
grammar   The engine with and without the grammar on the same tiles: tiles per second, answers that were
          mended or could not be read.

The two sides take turns, each repeat with tiles of its own, and all caches are emptied in between. Run it with the
environment of scripts/_vllm_environment.sh; `./scripts/bench vllm` does.

With so small a model the engine's share weighs far more than with a model of 9B, so each part also prints
what the engine adds to a tile, which is the same for both.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from asking import write_scene
from PIL import Image
from service import background

from groundproof.models import vllm_adapter
from groundproof.models.base import Piece, Request
from groundproof.models.resolve import resolve
from groundproof.parses import parses
from groundproof.run import RunDirectory
from groundproof.session import AskOptions, Session
from groundproof_training.scenes import WorldSpec, make_scene

MODEL = "vllm:tiny"
QUESTION = "How many airplanes are there?"
TILES_A_SIDE = 10
REPEATS = 3
CLIENTS = 16
IMAGES_A_CLIENT = 6
PORT = 8935
AIM_OFFLINE, AIM_HTTP = 0.97, 0.90
SLOW_S = 1.0
"""A tile's time with a large model, to say what a ratio becomes there."""


class Noting:
    """Notes what the engine asks a model, and answers nothing worth having."""

    def __init__(self) -> None:
        self.profile = resolve(MODEL).profile
        self.identity = "noting"
        self.max_in_flight = CLIENTS
        self.constrains = self.continuous = True
        self.noted: list[Request] = []

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """One piece each."""
        for request in requests:
            self.noted.append(request)
            yield Piece(request.request_id, "<answer>0</answer>", finish="stop")

    def close(self) -> None:
        """Nothing runs."""


class Raw:
    """vLLM's offline class with the settings, prompts and sampling of our adapter's."""

    def __init__(self, model: vllm_adapter.VllmModel) -> None:
        from vllm import LLM

        self._model = model
        self._llm = LLM(**model.settings)

    def seconds(self, requests: Sequence[Request]) -> tuple[float, list[str]]:
        """Time for all of them, and their texts."""
        from vllm.sampling_params import RequestOutputKind

        self._llm.reset_prefix_cache()
        self._llm.reset_mm_cache()
        prompts, samplings = [], []
        for request in requests:
            prompt, sampling = self._model.asked(request)
            sampling.output_kind = RequestOutputKind.FINAL_ONLY
            prompts.append(prompt)
            samplings.append(sampling)
        started = time.perf_counter()
        outputs = self._llm.generate(prompts, samplings, use_tqdm=False)
        return time.perf_counter() - started, [output.outputs[0].text for output in outputs]
