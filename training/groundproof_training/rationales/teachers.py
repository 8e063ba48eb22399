"""Who can be asked for rationales: any OpenAI-compatible server, or a model that the engine runs in this process.

Knows one question and one answer. Refuses to know whether the answer is true, and to try again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import openai
from numpy.typing import NDArray

from groundproof.errors import ModelError
from groundproof.models.base import Request, VisionLanguageModel
from groundproof.models.encoding import ImageEncoder
from groundproof.models.endpoint import OPENAI_HOST, Endpoint, parse_endpoint
from groundproof.models.openai_adapter import plain
from groundproof.models.probing import client_options, headers, http_options, served_model
from groundproof.models.retrying import RequestError, failed
from groundproof_training.errors import TrainingError
from groundproof_training.rationales.prompting import TeacherPrompt


class TeacherError(Exception):
    """One question was not answered; `str` is a sentence. kind: a short word for statistics. dead: no other question
    would be answered either (the key is refused, the model is not there)."""

    def __init__(self, kind: str, sentence: str, *, dead: bool = False) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.dead = dead


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. tokens: as the server counts them; 0 where it does not say."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


class Teacher(Protocol):
    """name: of the model, without addresses: it is written into every rationale."""

    name: str

    async def ask(self, prompt: TeacherPrompt, images: tuple[NDArray[np.uint8], ...]) -> Reply:
        """images: uint8 (height, width, 3), RGB. Raises TeacherError."""
        ...

    async def close(self) -> None:
        """Let go of connections, threads and models."""
        ...


class ServedTeacher:
    """A model behind an OpenAI-compatible API, which may be a hosted one."""

    def __init__(
        self, endpoint: Endpoint, model: str, timeout_s: float, max_tokens: int, temperature: float | None
    ) -> None:
        self.name = model.rstrip("/").rsplit("/", 1)[-1]
        self._endpoint, self._model = endpoint, model
        self._max_tokens, self._temperature, self._timeout_s = max_tokens, temperature, timeout_s
        self._key = endpoint.key()
        self._encoder = ImageEncoder(endpoint.images or "jpeg")
        timeout = openai.Timeout(timeout_s, connect=min(10.0, timeout_s))
        self._client = openai.AsyncOpenAI(
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout, **http_options(endpoint)),
            **client_options(endpoint, self._key),
        )

    async def ask(self, prompt: TeacherPrompt, images: tuple[NDArray[np.uint8], ...]) -> Reply:
        """See `Teacher`."""
        began = time.monotonic()
        uris = await asyncio.gather(*(self._encoder.data_uri(image) for image in images))
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": uri}} for uri in uris]
        content.append({"type": "text", "text": plain(prompt.text)})
        limit = "max_completion_tokens" if self._endpoint.host == OPENAI_HOST else "max_tokens"
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": content}],
            limit: self._max_tokens,
        }
        if self._temperature is not None:
            body["temperature"] = self._temperature
        options: Any = {"headers": headers(self._endpoint, self._key)}
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(
                    "/chat/completions", cast_to=object, body=body, options=options
                )
        except TimeoutError as err:
            raise TeacherError("timeout", f"no answer within {self._timeout_s:g} s") from err
        except (openai.APIError, ValueError) as err:
            # Not chained: the client's own message repeats the server's, which may repeat the key.
            said: RequestError = failed(err, self._endpoint, self._key)
            kind = (
                "timeout"
                if isinstance(err, openai.APITimeoutError)
                else "no answer"
                if said.silent
                else "refused"
            )
            raise TeacherError(kind, str(said), dead=said.dead) from None
        return _reply(answer, time.monotonic() - began)

    async def close(self) -> None:
        """See `Teacher`."""
        await self._client.close()
        self._encoder.close()


def _reply(answer: object, seconds: float) -> Reply:
    """Of a chat completion as a plain document. Raises TeacherError where it is none."""
    try:
        choice = answer["choices"][0]  # type: ignore[index]
        text = choice["message"]["content"]
        usage = answer.get("usage") or {}  # type: ignore[attr-defined]
        spent = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as err:
        raise TeacherError("broken answer", "the server's answer is no chat completion") from err
    if not isinstance(text, str):
        raise TeacherError("broken answer", "the server's answer holds no text")
    return Reply(text, *spent, seconds)


class EngineTeacher:
    """A model that one of the engine's adapters runs in this process, vLLM above all."""

    def __init__(self, model: VisionLanguageModel, name: str, max_tokens: int, concurrency: int) -> None:
        self.name = name
        self.profile = model.profile
        self._model, self._max_tokens = model, max_tokens
        self._threads = ThreadPoolExecutor(
            concurrency if model.continuous else 1, thread_name_prefix="teacher"
        )

    async def ask(self, prompt: TeacherPrompt, images: tuple[NDArray[np.uint8], ...]) -> Reply:
        """See `Teacher`. Tokens are counted as pieces, which are tokens where the adapter sees them."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, prompt, images)

    def _ask(self, prompt: TeacherPrompt, images: tuple[NDArray[np.uint8], ...]) -> Reply:
        began = time.monotonic()
        request = Request("rationale", images, prompt.system, prompt.text, self._max_tokens)
        pieces = []
        try:
            for piece in self._model.generate([request]):
                if piece.finish == "error":
                    raise TeacherError("no answer", piece.error or "the model gave no answer")
                pieces.append(piece.text)
        except ModelError as err:
            raise TeacherError("no answer", str(err), dead=True) from err
        return Reply("".join(pieces), 0, len(pieces), time.monotonic() - began)

    async def close(self) -> None:
        """See `Teacher`."""
        self._model.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_teacher(
    spec: str,
    model: str | None = None,
    *,
    concurrency: int = 16,
    timeout_s: float = 120.0,
    max_tokens: int = 4096,
    temperature: float | None = None,
    opened: Callable[[str], VisionLanguageModel] | None = None,
) -> Teacher:
    """spec: http(s)://HOST/v1[#MODEL], or what the engine's `--model` takes for a model in this process
    ("vllm:FOLDER", "vllm:PROFILE:FOLDER"). model: the served model's name; None: the one of the address, or the only
    one served. temperature: None leaves it to the server.

    Raises TrainingError where there is no such teacher.
    """
    try:
        if spec.startswith(("http://", "https://")):
            endpoint = parse_endpoint(spec)
            name = model or endpoint.model or served_model(endpoint)
            return ServedTeacher(endpoint, name, timeout_s, max_tokens, temperature)
        if opened is None:
            from groundproof.models.open import open_model as opened
        one = opened(spec)
    except ModelError as err:
        raise TrainingError(f"The teacher {spec!r} cannot be asked: {err}") from err
    return EngineTeacher(one, model or one.identity, max_tokens, concurrency)
