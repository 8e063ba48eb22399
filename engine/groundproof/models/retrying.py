"""When a model server fails: whether to ask again, how long to wait, and what to say.

Knows HTTP statuses and the `openai` client's exceptions. Refuses to ask. Sentences never hold the key or
image data, whatever the server writes into its own message.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from groundproof.models.endpoint import KEY, Endpoint

AGAIN = frozenset({408, 409, 425, 429})
"""Statuses worth another try, beside every 5xx."""

FATAL = frozenset({401, 404})
"""No other request would fare better: the key is refused, the model or the API is not there."""

LONGEST_MESSAGE = 300
"""Characters of a server's own message that are repeated."""

_TOO_LONG = re.compile(
    r"context.{0,2}length|context window|too many tokens|max_model_len|longer than the max", re.I
)
_IMAGE_DATA = re.compile(r"data:image/[^\s\"'<>]*|[A-Za-z0-9+/_=-]{120,}")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with jitter. Seconds; the defaults outlast the restart of a proxy or a server."""

    tries: int = 8
    first_s: float = 0.5
    longest_s: float = 30.0
    total_s: float = 120.0
    """From a request's first failure to its last new try."""

    def wait_s(self, failed: int, retry_after_s: float | None, since_first_s: float) -> float | None:
        """How long to wait after the `failed`th failure (1, 2, ...); None: give up."""
        if failed >= self.tries:
            return None
        wait = min(self.longest_s, self.first_s * 2.0 ** (failed - 1)) * random.uniform(0.5, 1.0)
        if retry_after_s is not None:
            wait = max(wait, retry_after_s)
        return None if since_first_s + wait > self.total_s else wait


class RequestError(Exception):
    """One request to the server failed. `str` is one sentence for people, without secrets.

    again: worth another try. dead: no other request can succeed. silent: the server gave no answer of any
    use (nothing, 429, 5xx). too_long: the prompt and what it may write do not fit the model's context.
    about_logprobs: the server will not give log-probabilities.
    """

    def __init__(
        self,
        sentence: str,
        *,
        again: bool = False,
        dead: bool = False,
        silent: bool = False,
        retry_after_s: float | None = None,
        too_long: bool = False,
        about_logprobs: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.again = again
        self.dead = dead
        self.silent = silent
        self.retry_after_s = retry_after_s
        self.too_long = too_long
        self.about_logprobs = about_logprobs


def failed(err: Exception, endpoint: Endpoint, key: str | None) -> RequestError:
    """What an exception of the `openai` client means."""
    server = endpoint.server
    if isinstance(err, openai.APITimeoutError):
        return RequestError(f"{server} did not answer in time.", again=True, silent=True)
    if isinstance(err, openai.APIConnectionError):
        why = _cause(err)
        return RequestError(f"There is no connection to {server} ({why}).", again=True, silent=True)
    said = clean(_message(err), key)
    if isinstance(err, openai.APIStatusError):
        return _refused(server, err.status_code, said, err.response.headers)
    code = err.body.get("code") if isinstance(err, openai.APIError) and isinstance(err.body, dict) else None
    if isinstance(code, int) and 400 <= code < 500:  # vLLM's errors in the middle of a stream carry a status
        return _refused(server, code, said, {})
    return RequestError(f"{server} broke its answer off: {said}.", again=True)


def clean(message: str, key: str | None) -> str:
    """A server's message in one line, without the key, image data and its full stop, not too long."""
    text = message if key is None else message.replace(key, "[key]")
    text = " ".join(_IMAGE_DATA.sub("[...]", text).split())
    return (text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + " ...").rstrip(".")


def _refused(server: str, status: int, said: str, headers: Mapping[str, str]) -> RequestError:
    if status in AGAIN or status >= 500:
        return RequestError(
            f"{server} could not answer (HTTP {status}): {said}.",
            again=True,
            silent=True,
            retry_after_s=_retry_after_s(headers),
        )
    if status in (401, 403):
        sentence = f"{server} refuses the key, or wants one in {KEY} (HTTP {status}): {said}."
    elif status == 404:
        sentence = f"{server} does not know this model or this address (HTTP 404): {said}."
    elif _TOO_LONG.search(said):
        sentence = (
            f"The question and its images are too long for this model; shorten the question or use smaller tiles. "
            f"{server} said: {said}."
        )
    else:
        sentence = f"{server} refused the request (HTTP {status}): {said}."
    return RequestError(
        sentence,
        dead=status in FATAL,
        too_long=bool(_TOO_LONG.search(said)),
        about_logprobs="logprob" in said.lower(),
    )


def _message(err: Exception) -> str:
    """What the server itself said, in the shapes that servers use."""
    body: Any = err.body if isinstance(err, openai.APIError) else None
    if isinstance(body, str) and body.strip():
        return body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            found = body.get(name)
            if isinstance(found, dict):
                found = found.get("message")
            if isinstance(found, str) and found.strip():
                return found
    if isinstance(err, openai.APIStatusError):
        return err.response.reason_phrase or "no reason given"
    return str(err) or type(err).__name__


def _cause(err: BaseException) -> str:
    """The operating system's words for it, from the end of the chain."""
    last = err
    while (below := last.__cause__ or last.__context__) is not None:
        last = below
    return clean(re.sub(r"^\[Errno -?\d+\] ", "", str(last)) or type(last).__name__, None)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
