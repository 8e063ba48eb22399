"""One streamed chat completion -> pieces of text with their log-probabilities.

Knows what servers write into chunks, and what they leave out. Refuses to know connections and requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from groundproof.models.base import Finish, Piece
from groundproof.models.prompt import THINK
from groundproof.models.retrying import RequestError, clean
from groundproof.models.token_text import Bit, Token, TokenText

END_THINK = "</think>"


class AnswerReading:
    """The stream of one answer -> pieces. Reasoning that comes apart is put back between <think> and </think>,
    where the trace parser looks for it. opening: what the prompt already gave the answer. key: never repeated.
    """

    def __init__(self, request_id: str, opening: str, key: str | None) -> None:
        self.end: Piece | None = None
        """The last piece, once it has come; `pieces` leaves it out."""
        self.reasoned = False
        self._id = request_id
        self._key = key
        self._opening = opening
        self._text = TokenText()
        self._thinking = False
        self._opened = False
        self._tokens_seen = False
        self._refusal = ""

    def pieces(self, chunk: Any) -> Iterator[Piece]:
        """chunk: a `chat.completion.chunk`, of which servers leave out this and that. Raises RequestError."""
        if not isinstance(chunk, dict):
            raise RequestError(
                f"The server streams {type(chunk).__name__} where a chat completion should be."
            )
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            reasoning = _string(delta, "reasoning") or _string(delta, "reasoning_content")
            content = _string(delta, "content")
            self._refusal += _string(delta, "refusal")
            tokens = _tokens(choice)
            self._tokens_seen |= bool(tokens)
            if reasoning:
                self.reasoned = True
                yield from self._begin(THINK)
                self._thinking = True
                yield from self._given(self._text.feed(reasoning, tokens))
                tokens = []
            if content and self._thinking:
                self._thinking = False
                yield from self._given(self._text.flush())
                yield self._tag(END_THINK)
            if content:
                yield from self._begin(self._opening)
            if content or tokens:
                yield from self._given(self._text.feed(content, tokens))
            reason = choice.get("finish_reason")
            if reason is not None:
                yield from self._given(self._text.flush())
                self.end = self._ended(str(reason))

    def _begin(self, tag: str) -> Iterator[Piece]:
        """The opening tag, once, before everything else."""
        if not self._opened:
            self._opened = True
            if tag:
                yield self._tag(tag)

    def _tag(self, tag: str) -> Piece:
        """A tag that the server took away or that stands in the prompt; it cost the model no probability."""
        return Piece(self._id, tag, 0.0 if self._tokens_seen else None)

    def _given(self, bits: list[Bit]) -> Iterator[Piece]:
        return (Piece(self._id, bit.text, bit.logprob) for bit in bits)

    def _ended(self, reason: str) -> Piece:
        if self._refusal:
            said = clean(self._refusal, self._key)
            return Piece(self._id, "", finish="error", error=f"The model declined to answer: {said}.")
        if reason == "content_filter":
            return Piece(
                self._id, "", finish="error", error="The server's content filter stopped the answer."
            )
        if reason in ("abort", "error"):
            raise RequestError("The server gave the answer up.", again=True)
        finish: Finish = "length" if reason == "length" else "stop"
        return Piece(self._id, "", finish=finish)


def _string(delta: dict[str, Any], name: str) -> str:
    value = delta.get(name)
    return value if isinstance(value, str) else ""


def _tokens(choice: dict[str, Any]) -> list[Token]:
    """The chunk's tokens; none where the server shows none. A token without bytes is taken as its text."""
    tokens = []
    for shown in (choice.get("logprobs") or {}).get("content") or ():
        data, logprob = shown.get("bytes"), shown.get("logprob")
        if logprob is None:
            return []
        tokens.append(
            Token(str(shown.get("token")).encode() if data is None else bytes(data), float(logprob))
        )
    return tokens
