"""The one small interface between the engine and any vision-language model.

Knows requests and pieces of text. Refuses to know geography, files and what the text means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    max_new_tokens: None means the profile's own limit.
    """

    request_id: str
    images: tuple[NDArray[np.uint8], ...]
    system: str
    text: str
    max_new_tokens: int | None = None


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

    profile: Profile
    max_in_flight: int
    identity: str
    """What answers, exactly: name and a content hash or revision; part of every tile_id."""

    def generate(self, requests: Iterable[Request]) -> Iterator[Piece]:
        """Answer the requests; see the class."""
        ...

    def close(self) -> None:
        """Cancel what runs; see the class."""
        ...
