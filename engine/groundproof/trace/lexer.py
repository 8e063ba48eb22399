"""Characters to tokens: tags, number brackets, JSON objects, plain text. Cut-independent.

Knows where a token ends and when that cannot be told yet. Refuses to know what tokens mean.

Every decision depends on a bounded stretch of text around one character and never on where a piece of a
stream ended: while the stretch is not there, the lexer waits. So any cutting gives the same tokens (plain
text excepted, which comes in whatever portions are ready), and the work is linear in the text.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["text", "open", "close", "list", "pair", "angled", "object"]

BRACKET_CHARS = 200
"""Longest content of a bracket that can be a box; four long decimals with units need 120."""
OBJECT_CHARS = 600
"""Longest JSON object that can be a box with its label."""
LOOK_BACK = 100
"""Characters before a tag in which an open quotation mark is looked for."""

_SPECIAL = re.compile(r"[<\[{(]")
_TAG = re.compile(
    r"<\s{0,2}(?P<slash>/?)\s{0,2}(?P<name>think|thinking|plan|evidence|synthesis|answer)\s{0,2}>"
    r"|<\|(?P<box>begin|end)_of_box\|>",
    re.IGNORECASE,
)
_TAG_WAIT = re.compile(r"<[\s/|a-z_]{0,24}+\Z", re.IGNORECASE)
_QUOTE = re.compile("[\"'`“«„]")
_LIST = re.compile(rf"\[[^\[\](){{}}<>]{{0,{BRACKET_CHARS}}}+\]")
_LIST_WAIT = re.compile(rf"\[[^\[\](){{}}<>]{{0,{BRACKET_CHARS}}}+\Z")
_PAREN = re.compile(rf"\([^\[\](){{}}<>]{{0,{BRACKET_CHARS}}}+\)")
_PAREN_WAIT = re.compile(rf"\([^\[\](){{}}<>]{{0,{BRACKET_CHARS}}}+\Z")
_ANGLED = re.compile(
    r"\{(?:\s*<\s*[-+]?\d{1,9}(?:\.\d{1,20})?\s*>){3,8}\s*(?:\|\s*<\s*[-+]?\d{1,9}(?:\.\d{1,20})?\s*>\s*)?\}"
)
_ANGLED_WAIT = re.compile(rf"\{{[<>\d.\s|+-]{{0,{BRACKET_CHARS}}}+\Z")
_OBJECT = re.compile(rf"\{{[^{{}}<]{{0,{OBJECT_CHARS}}}+\}}")
_OBJECT_WAIT = re.compile(rf"\{{[^{{}}<]{{0,{OBJECT_CHARS}}}+\Z")


class Token(NamedTuple):
    """One token. start: its place in the raw text, characters. text: as written, brackets included.

    kind: "open" and "close" are tags of the protocol with their `name` (lower case; "box" for GLM's
    begin_of_box and end_of_box); "list" is [..], "pair" (..), "angled" {<..>..}, "object" {..} without
    tags inside; none of them holds another bracket of its kind. before, after: for tags, up to LOOK_BACK
    characters before and one character after, if there is a quotation mark before; else "".
    """

    kind: Kind
    start: int
    text: str
    name: str = ""
    before: str = ""
    after: str = ""

    @property
    def end(self) -> int:
        """Where the token ends in the raw text, half-open."""
        return self.start + len(self.text)


class Lexer:
    """Push text in, take tokens out. `feed` any number of times, then `close` once."""

    def __init__(self) -> None:
        self._buffer = ""
        self._base = 0  # place of buffer[0] in the raw text
        self._next = 0  # index in the buffer of the first character without a token

    def feed(self, text: str) -> list[Token]:
        """The tokens that became certain with this text."""
        self._buffer += text
        return self._scan(final=False)

    def close(self) -> list[Token]:
        """The tokens that were waiting for more text."""
        return self._scan(final=True)

    def _scan(self, *, final: bool) -> list[Token]:
        tokens: list[Token] = []
        buffer, base = self._buffer, self._base
        text_from = at = self._next
        size = len(buffer)
        while True:
            found = _SPECIAL.search(buffer, at)
            if found is None:
                at = size
                break
            at = found.start()
            token = self._lex(buffer, at, final=final)
            if token is None:
                break
            if token is _PLAIN:
                at += 1
                continue
            if at > text_from:
                tokens.append(Token("text", base + text_from, buffer[text_from:at]))
            tokens.append(token)
            at = text_from = at + len(token.text)
        if at > text_from:
            tokens.append(Token("text", base + text_from, buffer[text_from:at]))
        cut = max(at - LOOK_BACK, 0)
        self._buffer, self._base, self._next = buffer[cut:], base + cut, at - cut
        return tokens

    def _lex(self, buffer: str, at: int, *, final: bool) -> Token | None:
        """The token at a special character; `_PLAIN` when it is plain text, None when more is needed."""
        char = buffer[at]
        if char == "<":
            return self._lex_tag(buffer, at, final=final)
        if char == "[":
            if match := _LIST.match(buffer, at):
                return Token("list", self._base + at, match.group())
            return None if not final and _LIST_WAIT.match(buffer, at) else _PLAIN
        if char == "(":
            if match := _PAREN.match(buffer, at):
                return Token("pair", self._base + at, match.group())
            return None if not final and _PAREN_WAIT.match(buffer, at) else _PLAIN
        if (match := _ANGLED.match(buffer, at)) and len(match.group()) <= BRACKET_CHARS + 2:
            return Token("angled", self._base + at, match.group())
        if match := _OBJECT.match(buffer, at):
            return Token("object", self._base + at, match.group())
        waiting = not final and (_OBJECT_WAIT.match(buffer, at) or _ANGLED_WAIT.match(buffer, at))
        return None if waiting else _PLAIN

    def _lex_tag(self, buffer: str, at: int, *, final: bool) -> Token | None:
        match = _TAG.match(buffer, at)
        if match is None:
            return None if not final and _TAG_WAIT.match(buffer, at) else _PLAIN
        end = match.end()
        look_from = max(at - LOOK_BACK, 0)
        quotes = _QUOTE.search(buffer, look_from, at)
        if quotes and end == len(buffer) and not final:
            return None  # whether the tag is quoted may hang on the next character
        closing = bool(match["slash"]) or (match["box"] or "").lower() == "end"
        name = "box" if match["box"] else match["name"].lower().removesuffix("ing")
        before, after = (buffer[look_from:at], buffer[end : end + 1]) if quotes else ("", "")
        return Token("close" if closing else "open", self._base + at, match.group(), name, before, after)


_PLAIN = Token("text", -1, "")
