"""Text and tokens of a streamed answer -> one piece per token, whole characters only.

Knows bytes. Refuses to know tokenizers and servers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

REACH = 64
"""Bytes of text searched for a token that is not where it was expected."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token as a server shows it: the bytes it stands for and its natural log-probability."""

    data: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class Bit:
    """Some text and the log-probability of the tokens that made it, summed; None when no token did."""

    text: str
    logprob: float | None


class TokenText:
    """Pairs the text of one answer with its tokens. Joined, the bits are exactly the text that was fed.

    The text decides: a server shows tokens that make no text (the end of the answer, a `<think>` that its
    reasoning parser took away), and text may come after its tokens (a character is not whole yet). A token
    whose bytes are not the next ones of the text is left out, its log-probability with it; where a server
    replaced the bytes of a split character, the tokens' sum goes to the text they must have made.
    """

    def __init__(self) -> None:
        self._text = b""
        """Text that no token has claimed yet."""
        self._tokens: deque[Token] = deque()
        self._partial = b""
        """Bytes of an unfinished character that tokens have claimed."""
        self._held: float | None = None
        """Log-probability of `_partial`."""
        self._unplaced: float | None = None
        """Log-probability of tokens left out since the last match."""

    def feed(self, text: str, tokens: Iterable[Token] = ()) -> list[Bit]:
        """What can be given out now. Text without any token is given out at once, with None."""
        self._text += text.encode("utf-8", "surrogatepass")
        self._tokens.extend(tokens)
        bits: list[Bit] = []
        while self._tokens:
            token = self._tokens[0]
            if self._text.startswith(token.data):
                self._tokens.popleft()
                self._claim(token, bits)
            elif token.data.startswith(self._text):
                return bits  # the rest of its text may still come
            elif not self._skip_to(token, bits):
                self._tokens.popleft()
                self._unplaced = _plus(self._unplaced, token.logprob)
        return bits + self._rest()

    def flush(self) -> list[Bit]:
        """Give out text that is only the beginning of its token: a stop string or a tag cut it there."""
        if self._text and self._tokens:
            self._held = _plus(self._held, self._tokens.popleft().logprob)
        return self._rest()

    def _claim(self, token: Token, bits: list[Bit]) -> None:
        self._unplaced = None
        self._text = self._text[len(token.data) :]
        self._partial += token.data
        self._held = _plus(self._held, token.logprob)
        whole = _decoded(self._partial)
        if whole:
            bits.append(Bit(whole, self._held))
            self._partial, self._held = b"", None

    def _skip_to(self, token: Token, bits: list[Bit]) -> bool:
        """Give out the text before the token's place, when it stands a little further on."""
        place = self._text.find(token.data, 1, REACH)
        skipped = _decoded(self._partial + self._text[:place]) if place > 0 else None
        if skipped is None:
            return False
        bits.append(Bit(skipped, _plus(self._held, self._unplaced)))
        self._text = self._text[place:]
        self._partial, self._held, self._unplaced = b"", None, None
        return True

    def _rest(self) -> list[Bit]:
        """Everything unclaimed; no token waits for it any more."""
        if not self._text:
            return []
        rest = (self._partial + self._text).decode("utf-8", "surrogatepass")
        bit = Bit(rest, _plus(self._held, self._unplaced))
        self._text = self._partial = b""
        self._held = self._unplaced = None
        return [bit]


def _plus(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else a + b


def _decoded(data: bytes) -> str | None:
    """None while the last character is not whole."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
