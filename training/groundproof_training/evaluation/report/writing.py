"""Texts of files and models made safe for a page, an issue and a terminal. Knows characters; refuses to know figures.

Such texts are untrusted: they may hold markup, control characters that steer a terminal, marks that turn the direction
of what stands behind them, and halves of surrogate pairs that no file can hold. All of these are shown, none acts.
"""

from __future__ import annotations

import html
import re
import unicodedata

_ALIKE = dict.fromkeys("\u2028\u2029\x85\x0b\x0c", "\n")
_KEPT = "\n\t"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
"""Parts of words in Persian and Indian scripts, and of emoji; they hide nothing."""
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~>$@:-])")


def visible(text: object, most: int | None = None) -> str:
    """A text without characters that act instead of being seen: these become their code point, U+202E. most:
    characters that are kept; what is left out is counted."""
    whole = str(text).replace("\r\n", "\n")
    kept = whole if most is None or len(whole) <= most else whole[:most]
    shown = "".join(map(_seen, kept))
    return shown if len(kept) == len(whole) else f"{shown} ... ({len(whole) - len(kept):,} characters more)"


def _seen(character: str) -> str:
    character = _ALIKE.get(character, character)
    if character in _KEPT or character in _JOINERS or unicodedata.category(character) not in _INVISIBLE:
        return character
    return f"[U+{ord(character):04X}]"


def line(text: object, most: int | None = None) -> str:
    """`visible` on one line."""
    return " ".join(visible(text, most).split())


def short(text: object, most: int) -> str:
    """`line` of at most that many characters, the middle left out: a name's beginning and end tell most."""
    whole = line(text)
    if len(whole) <= most:
        return whole
    tail = (most - 3) * 2 // 3
    return f"{whole[: most - 3 - tail]}...{whole[-tail:]}"


def escaped(text: object, most: int | None = None) -> str:
    """`visible` for HTML, between tags and in quoted attributes."""
    return html.escape(visible(text, most), quote=True)


def marked_down(text: object, most: int | None = None) -> str:
    """`line` for a cell of a Markdown table: no markup, no link, no mention of a person or an issue."""
    safe = html.escape(line(text, most), quote=False)
    return _MARKS.sub(r"\\\1", safe)
