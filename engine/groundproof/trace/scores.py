"""Log-probabilities of pieces of text to a score of a box.

Knows which piece holds which characters. Refuses to invent a score where the model gave none.
"""

from __future__ import annotations

from math import exp

from groundproof.trace.lexer import Token

_KEEP_PIECES = 2048
"""A bracket that can be a box is at most 600 characters long, so at most 600 pieces."""


class Scores:
    """The pieces a text came in, as far back as a box can reach."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, int, float | None]] = []  # start, end, natural log-probability
        self._any = False

    def add(self, start: int, length: int, logprob: float | None) -> None:
        """The next piece of the text. start: characters before it."""
        if logprob is None and not self._any:
            return
        self._any = True
        if len(self._pieces) > 2 * _KEEP_PIECES:
            del self._pieces[:_KEEP_PIECES]
        self._pieces.append((start, start + length, logprob))

    def score(self, token: Token, start: int, end: int) -> float | None:
        """exp(mean log-probability) of the pieces that hold digits between two places of the token.

        None when a piece with digits has no log-probability. A piece is one token where the adapter sees
        tokens; a piece of several counts once.
        """
        if not self._any:
            return None
        logprobs: list[float] = []
        covered = 0
        for piece_start, piece_end, logprob in reversed(self._pieces):
            if piece_end <= start:
                break
            low, high = max(piece_start, start), min(piece_end, end)
            digits = (
                sum(c.isdigit() for c in token.text[low - token.start : high - token.start])
                if low < high
                else 0
            )
            if not digits:
                continue
            if logprob is None:
                return None
            covered += digits
            logprobs.append(logprob)
        written = sum(c.isdigit() for c in token.text[start - token.start : end - token.start])
        if not logprobs or covered < written:
            return None
        return exp(min(sum(logprobs) / len(logprobs), 0.0))
