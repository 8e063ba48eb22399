"""The one small interface between the engine and any vision-language model.

Knows requests and pieces of text. Refuses to know geography, files and what the text means.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from groundproof.models.profiles import Profile

Finish = Literal["stop", "length", "error", "cancelled"]


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt with its images. The order in the prompt is fixed: system text, images, user text.

    images: uint8 arrays (height, width, 3), RGB, already of a size the model takes without a resize.
    max_new_tokens: None means the profile's own limit. grammar: what the answer may look like, EBNF with the
    root rule `root`, as vLLM's structured outputs (xgrammar) read it (`protocol.constraint`); a model that
    does not constrain ignores it, so every answer is parsed and validated all the same.
    """

    request_id: str
    images: tuple[NDArray[np.uint8], ...]
    system: str
    text: str
    max_new_tokens: int | None = None
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bit of one answer. Pieces of different requests interleave; those of one are in order.

    text: what this piece adds, whole characters only; one piece is one token where the adapter can see
    tokens. logprob: natural log-probability of the tokens that made `text`, summed; None when the model
    gives none. finish: None while the answer goes on, else why it ended (the last piece of a request).
    error: one sentence, only with finish "error".
    """

    request_id: str
    text: str
    logprob: float | None = None
    finish: Finish | None = None
    error: str | None = None


class VisionLanguageModel(Protocol):
    """What an adapter offers. `generate` pulls requests lazily, at most `max_in_flight` ahead.

    One failing request ends with a piece whose finish is "error"; a dead model raises ModelError.
    `close` may be called from another thread: running requests end with finish "cancelled".
    """

    @property
    def profile(self) -> Profile:
        """What is known of the model."""

    @property
    def max_in_flight(self) -> int:
        """Requests answered together."""

    @property
    def identity(self) -> str:
        """What answers, exactly: name and a content hash or revision; part of every tile_id."""

    @property
    def constrains(self) -> bool:
        """Whether `Request.grammar` is honoured."""

    @property
    def continuous(self) -> bool:
        """True: requests are answered one by one as places become free (a server, vLLM), so they may be fed as
        one stream. False: requests that are pulled together are computed together, and which ones decides the
        last bits of the result; a runner then calls `generate` once for every batch."""

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """Answer the requests; see the class. Closing the generator cancels what runs."""
        ...

    def close(self) -> None:
        """Cancel what runs; see the class."""
        ...
