"""Raw text to plain text, quotation marks around tags, and text that repeats itself.

Knows characters. Refuses to know sections and boxes.
"""

from __future__ import annotations

import re

from groundproof.protocol.grammar import TAGS
from groundproof.trace.lexer import BRACKET_CHARS

TAIL_CHARS = 4000
"""How much of the end of a text is looked at for a loop."""
MIN_REPEATS = 5
MIN_REPEATED_CHARS = 200
_PROBE = 24

_MARKS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(?:ref|box|delim)>|<\s{0,2}/?\s{0,2}(?:think|thinking|plan|evidence|synthesis|answer)\s{0,2}>",
    re.IGNORECASE,
)
_BEGINNINGS = sorted({tag[:n] for tag in TAGS for n in range(1, len(tag) + 1)}, key=len, reverse=True)
_CUT_TAG = re.compile(rf"<(?:/?(?:{'|'.join(_BEGINNINGS)})?|\|[a-z_]{{0,14}}\|?)\Z", re.IGNORECASE)
"""The beginning of a tag at the very end: the text was cut there."""
_FENCE = re.compile(r"```(?:json|text|xml)?", re.IGNORECASE)


def clean(raw: str) -> str:
    """The text without tags of the protocol, special tokens and code fences, and trimmed.

    Anything else stays as written, HTML and links too: whoever shows it must escape it.
    """
    if "<" in raw:
        raw = _CUT_TAG.sub("", _MARKS.sub("", raw))
    if "```" in raw:
        raw = _FENCE.sub("", raw)
    return raw.strip()


def is_quoted(before: str, after: str, *, own_close: bool) -> bool:
    """True when a tag stands inside quotation marks and is spoken of, not meant.

    before: the text before the tag, at most some hundred characters; the mark must be opened on the same
    line. A tag that closes the section we are in is quoted only if a mark follows it right away: a
    forgotten closing mark must not swallow the rest.
    """
    line = before.rpartition("\n")[2]
    if not line:
        return False
    opened = (
        _odd(line, '"')
        or _odd(line.replace("```", ""), "`")
        or max(line.rfind("“"), line.rfind("„")) > line.rfind("”")
        or line.rfind("«") > line.rfind("»")
        or (line[-1] == "'" and not line[-2:-1].isalnum())
    )
    if not opened:
        return False
    return not own_close or (after != "" and after in "\"'`”»")


def _odd(line: str, mark: str) -> bool:
    """True when a mark is open at the end of the line; a mark behind a digit (5") opens nothing."""
    if line.count(mark) % 2 == 0:
        return False
    at = line.rfind(mark)
    return at == 0 or not line[at - 1].isalnum()


class Repetition:
    """Notices a text that ends in a loop, or holds a long run that does. Bounded memory."""

    def __init__(self) -> None:
        self._tail = ""
        self._reason = ""

    def add(self, text: str) -> None:
        """The next piece of the text."""
        self._tail = (self._tail + text)[-TAIL_CHARS:] if len(text) < TAIL_CHARS else text[-TAIL_CHARS:]

    def check(self, run: str) -> None:
        """Look at a stretch of text without boxes."""
        if not self._reason and len(run) > 2 * BRACKET_CHARS:
            self._reason = loop_at_end(run[-TAIL_CHARS:])

    def found(self) -> str:
        """One sentence about the loop; "" when there is none."""
        return self._reason or loop_at_end(self._tail)


def loop_at_end(text: str) -> str:
    """One sentence when the text ends by saying the same thing again and again, else ""."""
    text = text.rstrip()
    probe = text[-_PROBE:]
    if len(text) < MIN_REPEATED_CHARS:
        return ""
    at = text.rfind(probe, 0, len(text) - 1)
    if at < 0:
        return ""
    period = len(text) - _PROBE - at
    same = 0
    for i in range(len(text) - 1, period - 1, -1):
        if text[i] != text[i - period]:
            break
        same += 1
    covered = same + period
    if covered < MIN_REPEATED_CHARS or covered < MIN_REPEATS * period:
        return ""
    unit = " ".join(text[-period:].split())[:60]
    return f"the text repeats itself ({unit!r}, {covered // period} times); nothing new came of it"
