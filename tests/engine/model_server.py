"""An OpenAI-compatible server for tests, over real HTTP: a model of the test's own behind the real protocol.

It streams one chunk per token, with log-probabilities, and fails as a test scripts it.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

Say = Callable[[dict[str, Any]], list[str]]
"""A request's body -> the tokens of its answer."""

Misbehave = Callable[["Handler", dict[str, Any]], None]


class ModelServer:
    """`models`: what /v1/models lists. `vllm`: the version shown, None for another kind of server.

    `script`: what happens to the next requests, one item each, None for a normal answer; afterwards `always`
    to all of them. `listing`: what happens instead of the list. `asked`: each request's path, headers, body.
    """

    def __init__(
        self,
        say: Say,
        *,
        models: list[dict[str, Any]] | None = None,
        vllm: str | None = "0.32.0",
        template_end: str = "<|assistant|>\n",
        key: str | None = None,
    ) -> None:
        self.say = say
        self.models = [{"id": "tiny", "object": "model"}] if models is None else models
        self.vllm = vllm
        self.template_end = template_end
        self.key = key
        self.script: deque[Misbehave | None] = deque()
        self.always: Misbehave | None = None
        self.listing: Misbehave | None = None
        self.chunks: Callable[[list[str]], Iterator[dict[str, Any]]] = chunks
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._http = Http(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for path, _, body in self.asked if path == "/v1/chat/completions"]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], model: ModelServer) -> None:
        self.model = model
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Http

    def setup(self) -> None:
        super().setup()
        with self.server.model.lock:
            self.server.model.connections += 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""

    def do_GET(self) -> None:
        model = self._noted({})
        if self.path == "/v1/models" and not self._allowed():
            return
        if self.path == "/v1/models":
            if model.listing is not None:
                model.listing(self, {})
            else:
                self.reply(200, {"object": "list", "data": model.models})
        elif self.path == "/version" and model.vllm:
            self.reply(200, {"version": model.vllm})
        else:
            self.reply(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model = self._noted(body)
        if not self._allowed():
            return
        if self.path == "/tokenize" and model.vllm:
            self.reply(200, {"tokens": [1, 2], "token_strs": ["?", model.template_end]})
            return
        if self.path != "/v1/chat/completions":
            self.reply(404, {"detail": "Not Found"})
            return
        with model.lock:
            model.at_once += 1
            model.most_at_once = max(model.most_at_once, model.at_once)
            misbehave = model.script.popleft() if model.script else model.always
        try:
            if misbehave is not None:
                misbehave(self, body)
            else:
                self.stream(model.chunks(model.say(body)))
        finally:
            with model.lock:
                model.at_once -= 1

    def reply(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events: Iterator[dict[str, Any]], *, stop_after: int | None = None) -> None:
        """Server-sent events. stop_after: the connection is cut after that many."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if number == stop_after:
                self.close_connection = True
                return
            self._chunk(f"data: {json.dumps(event)}\n\n".encode())
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _noted(self, body: dict[str, Any]) -> ModelServer:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.model.asked.append((self.path, headers, body))
        return self.server.model

    def _allowed(self) -> bool:
        key = self.server.model.key
        if key is None or self.headers["authorization"] == f"Bearer {key}":
            return True
        sent = self.headers["authorization"]
        self.reply(
            401, {"error": {"message": f"Incorrect API key provided: {sent}", "code": "invalid_api_key"}}
        )
        return False


def chunk(
    delta: dict[str, Any], tokens: list[tuple[bytes, float]] = (), finish: str | None = None
) -> dict[str, Any]:  # type: ignore[assignment]
    shown = [
        {"token": data.decode("utf-8", "replace"), "bytes": list(data), "logprob": p} for data, p in tokens
    ]
    choice = {
        "index": 0,
        "delta": delta,
        "logprobs": {"content": shown} if shown else None,
        "finish_reason": finish,
    }
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def chunks(tokens: list[str], logprob: float = -0.1) -> Iterator[dict[str, Any]]:
    """As vLLM does: an empty first delta, a chunk per token, the end token shown among the log-probabilities."""
    yield chunk({"role": "assistant", "content": ""})
    for token in tokens:
        yield chunk({"content": token}, [(token.encode(), logprob)])
    yield chunk({"content": ""}, [(b"<|endoftext|>", -0.01)], "stop")


def refuse(status: int, message: str, headers: dict[str, str] | None = None) -> Misbehave:
    return lambda handler, body: handler.reply(status, {"error": {"message": message}}, headers)


def break_after(events: int) -> Misbehave:
    def misbehave(handler: Handler, body: dict[str, Any]) -> None:
        model = handler.server.model
        handler.stream(model.chunks(model.say(body)), stop_after=events)

    return misbehave


def hang(seconds: float) -> Misbehave:
    def misbehave(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return misbehave


def hang_up(handler: Handler, body: dict[str, Any]) -> None:
    handler.close_connection = True


def pictures(body: dict[str, Any]) -> list[np.ndarray]:
    """The images of a request's user message, decoded: uint8 (height, width, 3)."""
    found = []
    for part in body["messages"][-1]["content"]:
        if part["type"] == "image_url":
            head, _, data = part["image_url"]["url"].partition(",")
            assert head.startswith("data:image/")
            found.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")))
    return found


@contextmanager
def nobody() -> Iterator[str]:
    """The address of a server that is not there."""
    with ModelServer(lambda body: []) as server:
        url = server.url
    yield url
