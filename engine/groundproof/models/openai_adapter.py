"""A vision-language model behind any OpenAI-compatible server: `vllm serve`, another engine, a cloud.

Knows chat completions and what streams of them look like. Refuses to forward addresses: the server gets
pixels, never a URL of a user's. Waiting and asking again is `retrying.py`'s to decide.

Structured outputs want a server without a reasoning parser: vLLM holds only what follows the reasoning to
the grammar, and the grammar covers the reasoning too. Once a server shows one, no more grammar is sent.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

import openai

from groundproof.errors import ModelError
from groundproof.models.async_bridge import AsyncBridge
from groundproof.models.base import Piece, Request
from groundproof.models.chat_stream import AnswerReading
from groundproof.models.encoding import ImageEncoder
from groundproof.models.endpoint import OPENAI_HOST, Endpoint
from groundproof.models.probing import Server, client_options, headers, http_options, probe
from groundproof.models.profiles import Profile
from groundproof.models.prompt import LOOKS_LIKE_CONTROL
from groundproof.models.resolve import ModelSpec
from groundproof.models.retrying import Backoff, RequestError, failed
from groundproof.protocol.constraint import after_opening

MAX_IN_FLIGHT = 16
"""Requests a server is asked to answer at once by default: a GPU's batch, and few enough for a cloud."""

TIMEOUT = openai.Timeout(60.0, connect=10.0, read=300.0)
"""Seconds. read: without one byte, so it is a request's wait in the server's queue, not a whole answer."""

SILENT_ROUNDS = 3
"""After this many times `max_in_flight` requests in a row without any answer, the server counts as dead."""

LAST_WORDS_S = 0.5
"""How long the end of a stream is waited for after the answer: read out, its connection is used again."""

_MARK = f"image-{secrets.token_hex(8)}-"
"""Nobody can write this into a question, which also stands behind the images."""

_CONTROL = re.compile(
    LOOKS_LIKE_CONTROL.pattern
    + r"|<\uff5c[^<>]*\uff5c>|</?(?:s|bos|eos|pad|unk|img|image|video|audio|IMG_CONTEXT|image_soft_token)>"
    r"|</?(?:start|end)_of_(?:turn|image)>|\[/?INST\]",
    re.IGNORECASE,
)
"""Control tokens of the families that servers run. Without the tokenizer the list cannot be complete; the
tags of the protocol are not on it."""


class OpenAIModel:
    """Implements `VisionLanguageModel` (see `models/base.py`) over `endpoint`, where `server` was found."""

    def __init__(
        self,
        profile: Profile,
        endpoint: Endpoint,
        server: Server,
        max_in_flight: int = MAX_IN_FLIGHT,
        backoff: Backoff | None = None,
        timeout: openai.Timeout = TIMEOUT,
    ) -> None:
        self.profile = profile
        self.max_in_flight = max_in_flight
        self.identity = _identity(profile, endpoint, server)
        self.constrains = server.constrains
        self.continuous = True
        self._endpoint = endpoint
        self._server = server
        self._backoff = backoff or Backoff()
        self._key = endpoint.key()
        self._encoder = ImageEncoder(endpoint.image_format)
        self._client = openai.AsyncOpenAI(
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout, **http_options(endpoint)),
            **client_options(endpoint, self._key),
        )
        self._logprobs = True
        """False once the server said that it gives none."""
        self._reasoning_parser = False
        """True once the server sent reasoning apart from the answer."""
        self._silent = 0
        """Requests in a row that got no answer."""
        self._bridge = AsyncBridge(self._answer, max_in_flight, self.identity)

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """Answers as they come; see `VisionLanguageModel`.

        Raises: ModelError when the model was closed, the server refuses the key or knows the model no
        longer, or has answered nothing for `SILENT_ROUNDS` times `max_in_flight` requests.
        """
        return self._bridge.generate(requests)

    def close(self) -> None:
        """Cancel what runs and let go of the connections; from any thread."""
        self._bridge.close(self._client.close)
        self._encoder.close()

    async def _answer(self, request: Request) -> AsyncGenerator[Piece, None]:
        """One answer, over as many tries as it takes. What was handed on before a break is not said twice."""
        try:
            body = await self._body(request)
        except ValueError as err:
            yield Piece(request.request_id, "", finish="error", error=f"A tile cannot be sent: {err}.")
            return
        told = ""
        failures, first_failure = 0, 0.0
        while True:
            known = told
            try:
                async with aclosing(self._once(request, body)) as pieces:
                    async for piece in pieces:
                        self._silent = 0
                        common = min(len(known), len(piece.text))
                        if piece.text[:common] != known[:common] or (piece.finish and len(known) > common):
                            yield self._differs(request)
                            return
                        known = known[common:]
                        new = replace(piece, text=piece.text[common:])
                        told += new.text
                        if new.text or new.finish:
                            yield new
                        if new.finish:
                            return
            except RequestError as err:
                error = err
            if self._adapt(error, body.fields):
                continue
            failures += 1
            now = time.monotonic()
            first_failure = first_failure or now
            wait_s = self._backoff.wait_s(failures, error.retry_after_s, now - first_failure)
            if not error.again or wait_s is None:
                yield self._given_up(request, error, failures)
                return
            await asyncio.sleep(wait_s)

    def _adapt(self, error: RequestError, fields: dict[str, Any]) -> bool:
        """Ask for less where the server said that it will not give it; True when that is worth a new try."""
        if error.about_logprobs and fields.pop("logprobs", None):
            self._logprobs = False
            return True
        # Prompt and limit together pass the context: vLLM without a limit writes as much as there is room for.
        return error.too_long and self._server.vllm is not None and fields.pop("max_tokens", None) is not None

    def _differs(self, request: Request) -> Piece:
        sentence = (
            f"{self._endpoint.server} broke its answer off, and asked again it wrote another one, so the two "
            "cannot be joined."
        )
        return Piece(request.request_id, "", finish="error", error=sentence)

    def _given_up(self, request: Request, error: RequestError, tries: int) -> Piece:
        """The last word about a request. Raises ModelError where no other one would fare better."""
        if error.dead:
            raise ModelError(f"{error} What was answered is kept.")
        self._silent = self._silent + 1 if error.silent else 0
        if self._silent >= SILENT_ROUNDS * self.max_in_flight:
            lost, self._silent = self._silent, 0
            raise ModelError(
                f"{self._endpoint.server} answered none of the last {lost} requests. {error} What was answered is "
                "kept; when the server runs again, go on with: groundproof resume RUN_DIR"
            )
        asked = f" Asked {tries} times." if tries > 1 else ""
        return Piece(request.request_id, "", finish="error", error=f"{error}{asked}")

    async def _body(self, request: Request) -> _Body:
        """The chat completion to ask for. Raises ValueError for an image that cannot be encoded."""
        uris = await asyncio.gather(*(self._encoder.data_uri(image) for image in request.images))
        marks = [f"{_MARK}{number}" for number in range(len(uris))]
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": mark}} for mark in marks]
        content.append({"type": "text", "text": plain(request.text)})
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if request.system:
            messages.insert(0, {"role": "system", "content": request.system})
        limit = self.profile.max_new_tokens if request.max_new_tokens is None else request.max_new_tokens
        # OpenAI's own newer models refuse the old name, which is the one that every other server knows.
        limit_name = "max_completion_tokens" if self._endpoint.host == OPENAI_HOST else "max_tokens"
        fields: dict[str, Any] = {
            "model": self._server.model,
            "messages": messages,
            "stream": True,
            "temperature": self.profile.temperature,
            "top_p": self.profile.top_p,
            limit_name: limit,
        }
        if self._logprobs:
            fields["logprobs"] = True
        if self._server.vllm is not None:
            fields |= self._for_vllm(request)
        return _Body(fields, tuple(zip(marks, uris, strict=True)))

    def _for_vllm(self, request: Request) -> dict[str, Any]:
        """Fields that vLLM has beyond OpenAI's; another server could refuse them."""
        extra: dict[str, Any] = {
            "repetition_penalty": self.profile.repetition_penalty,
            "skip_special_tokens": False,  # box markers of some families are special tokens
        }
        if request.grammar is not None and self.constrains and not self._reasoning_parser:
            ebnf = after_opening(request.grammar) if self._server.opening else request.grammar
            extra["structured_outputs"] = {"grammar": ebnf}
        return extra

    async def _once(self, request: Request, body: _Body) -> AsyncGenerator[Piece, None]:
        """One try. Raises RequestError."""
        answer = AnswerReading(request.request_id, self._server.opening, self._key)
        try:
            async with await self._stream(body) as stream:
                while (chunk := await anext(stream, None)) is not None:
                    for piece in answer.pieces(chunk):
                        yield piece
                    self._reasoning_parser |= answer.reasoned
                    if answer.end is not None:
                        await _read_out(stream)
                        yield answer.end
                        return
        except (openai.APIError, ValueError) as err:  # ValueError: a chunk that is no JSON
            # Not chained: the client's own message repeats the server's, which may repeat the key.
            raise failed(err, self._endpoint, self._key) from None
        raise RequestError(f"{self._endpoint.server} stopped in the middle of its answer.", again=True)

    async def _stream(self, body: _Body) -> openai.AsyncStream[Any]:
        """Chunks as plain documents. The client's own classes for them cost 0.2 ms a token (6 us here), which
        is all the time there is at 5,000 tokens/s, and its JSON of a tile 35 ms in the loop."""
        options: Any = {
            "headers": {**headers(self._endpoint, self._key), "Content-Type": "application/json"},
        }
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            content=body.json(),
            options=options,
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )


@dataclass(frozen=True, slots=True)
class _Body:
    """A request's fields, with marks where its images go."""

    fields: dict[str, Any]
    images: tuple[tuple[str, str], ...]
    """Mark and data URI of each; base64 needs no escaping, so it is put into the finished JSON."""

    def json(self) -> bytes:
        text = json.dumps(self.fields)
        for mark, uri in self.images:
            text = text.replace(f'"{mark}"', f'"{uri}"', 1)
        return text.encode()


def load(spec: ModelSpec, max_in_flight: int | None = None) -> OpenAIModel:
    """Ask the server what it serves, and be ready to ask it more. max_in_flight: None for the default.

    The identity is "PROFILE-MODEL@HOST:PORT", with the weights' revision where the server tells one.

    Raises: ModelError when nothing answers, the key is refused, the model is not served or not named among
    several.
    """
    places = MAX_IN_FLIGHT if max_in_flight is None else max_in_flight
    return OpenAIModel(spec.profile, spec.endpoint, probe(spec.endpoint), places)


async def _read_out(stream: Any) -> None:
    with suppress(TimeoutError, openai.APIError, ValueError):  # the answer is whole; this is only thrift
        async with asyncio.timeout(LAST_WORDS_S):
            while await anext(stream, None) is not None:
                pass


def plain(text: str) -> str:
    """The text with a space inside everything that a chat template could take for a control token."""
    return _CONTROL.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def _identity(profile: Profile, endpoint: Endpoint, server: Server) -> str:
    revision = f"-{server.revision}" if server.revision else ""
    lossy = "-jpeg" if endpoint.image_format == "jpeg" else ""  # other pixels, other answers
    return f"{profile.name}-{server.model}@{endpoint.server}{revision}{lossy}"
