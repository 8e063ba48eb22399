"""Tokens -> text as it comes, whole characters only. Knows a tokenizer's decoder, no model."""

from __future__ import annotations

from typing import Protocol

REPLACEMENT = "\ufffd"


class Decoder(Protocol):
    """The part of `tokenizers.Tokenizer` that is used."""

    def decode(self, ids: list[int], skip_special_tokens: bool = ...) -> str:
        """The text of these tokens."""
        ...


class TextStream:
    """Text of one growing token list. Joined, its increments equal decoding all tokens at once.

    Special tokens are kept as text: the tags and box markers of some families are special tokens, and the
    parser wants to see them. A character whose bytes are spread over tokens is held back until it is whole.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._window: list[int] = []
        """Tokens still looked at: the last one given out (some decoders treat a first token differently),
        then those held back."""
        self._given = 0
        """How many characters of the decoded window were given out."""

    def push(self, token_id: int) -> str:
        """What this token adds; "" while a character is incomplete."""
        self._window.append(token_id)
        text = self._decoder.decode(self._window, skip_special_tokens=False)
        if text.endswith(REPLACEMENT):
            return ""
        new = text[self._given :]
        self._window = [token_id]
        self._given = len(self._decoder.decode(self._window, skip_special_tokens=False))
        return new

    def flush(self) -> str:
        """What was held back, with U+FFFD for bytes that never became a character."""
        text = self._decoder.decode(self._window, skip_special_tokens=False)
        new, self._given = text[self._given :], len(text)
        return new
