"""Whole numbers as people and models write them: digits, number words, "a dozen", "no ships".

Knows English well and the small numbers of German, French, Spanish and Chinese. Refuses to know what is
being counted: that is for `labels` and `trace`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_COUNT = 10_000_000
"""Larger numbers in a sentence are not counts of objects on one tile or scene: identifiers, noise."""

_ONES = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen ",
)
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

_UNITS: dict[str, int] = {word: value for value, word in enumerate(_ONES)}
_TENS_VALUES: dict[str, int] = {word: 20 + 10 * i for i, word in enumerate(_TENS)}
_SCALES: dict[str, int] = {"hundred": 100, "thousand": 1000, "dozen": 12, "dozens": 12}

_OTHER: dict[str, int] = {
    # English words that stand for a number on their own
    "no": 0,
    "none": 0,
    "nothing": 0,
    "nil": 0,
    "single": 1,
    "pair": 2,
    "couple": 2,
    # German; "eine" and "un" are articles as often as numbers and are left out, as English "a" is
    "null": 0,
    "kein": 0,
    "keine": 0,
    "keinen": 0,
    "eins": 1,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "fünf": 5,
    "sechs": 6,
    "sieben": 7,
    "acht": 8,
    "neun": 9,
    "zehn": 10,
    "elf": 11,
    "zwölf": 12,
    # French
    "zéro": 0,
    "aucun": 0,
    "aucune": 0,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "sept": 7,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
    "onze": 11,
    "douze": 12,
    # Spanish
    "cero": 0,
    "ningún": 0,
    "ninguno": 0,
    "ninguna": 0,
    "uno": 1,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
    "cinco": 5,
    "seis": 6,
    "siete": 7,
    "ocho": 8,
    "nueve": 9,
    "diez": 10,
    "doce": 12,
}

_VOCABULARY = {*_UNITS, *_TENS_VALUES, *_SCALES, *_OTHER, "a", "an", "and"}
_CHINESE: dict[str, int] = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE_COUNTERS = "架艘辆个座棵栋条只处块"

_TOKEN = re.compile(
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?![\d.])|\d+)(?P<fraction>[.,]\d+)?"
    r"|(?P<word>[^\W\d_]+)",
)
_CHINESE_NUMBER = re.compile(
    f"([零一二三四五六七八九两]?)(十?)([一二三四五六七八九]?)(?=[{_CHINESE_COUNTERS}])"
)


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """One number in a text. start, end: characters, half-open. in_words: not written in digits."""

    value: int
    start: int
    end: int
    in_words: bool


def numbers_in(text: str) -> list[WrittenNumber]:
    """Every whole number of the text, in order. "twenty-one" is one number, "2.5" is none.

    A digit glued to a letter ("E1", "3D", "P0003") is a name, not a number. Linear in the text.
    """
    tokens = [m for m in _TOKEN.finditer(text) if m["digits"] or m["word"].lower() in _VOCABULARY]
    if not tokens:
        return _chinese(text)
    found: list[WrittenNumber] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token["digits"] is not None:
            value = _digits(token, text)
            if value is not None:
                found.append(WrittenNumber(value, token.start(), token.end(), False))
            i += 1
            continue
        read = _words(tokens, i, text)
        if read is None:
            i += 1
            continue
        value, used = read
        found.append(WrittenNumber(value, token.start(), tokens[i + used - 1].end(), True))
        i += used
    chinese = _chinese(text)
    return sorted(found + chinese, key=lambda n: n.start) if chinese else found


def read_count(text: str) -> int | None:
    """The one count a short answer states: "6", "six", "There are a total of 6 airplanes.", "none".

    The number after "total" wins, else the first; None when there is no number. Years and sizes cannot
    be told from counts here; give the answer's sentence, not the whole text.
    """
    numbers = numbers_in(text)
    if not numbers:
        return None
    marker = text.lower().find("total")
    if marker >= 0:
        after = [n.value for n in numbers if n.start > marker]
        if after:
            return after[0]
    return numbers[0].value


def _digits(token: re.Match[str], text: str) -> int | None:
    """The value of a digit token, None for decimals, negatives and names such as E1."""
    start, end = token.span()
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    if before.isalpha() or (before in "_-." and start > 1 and text[start - 2].isalnum()):
        return None
    if (after.isascii() and after.isalpha()) or after == "%":
        return None
    fraction = token["fraction"]
    if fraction is not None and fraction.strip(".,0"):
        return None
    digits = token["digits"].replace(",", "")
    if len(digits) > len(str(MAX_COUNT)) + 1:
        return None
    value = int(digits)
    return value if value <= MAX_COUNT else None


def _words(tokens: list[re.Match[str]], i: int, text: str) -> tuple[int, int] | None:
    """A number in words beginning at token i: its value and how many tokens it takes."""
    word = tokens[i].group().lower()
    following = tokens[i + 1].group().lower() if i + 1 < len(tokens) else ""
    adjoining = bool(following) and _joined(text, tokens[i].end(), tokens[i + 1].start())
    if word in ("a", "an") and adjoining and following in ("dozen", "hundred", "thousand"):
        return _SCALES[following], 2
    if word in _OTHER:
        return _OTHER[word], 1
    total, current, used = 0, 0, 0
    last = ""
    while i + used < len(tokens):
        if used and not _joined(text, tokens[i + used - 1].end(), tokens[i + used].start()):
            break
        word = tokens[i + used].group().lower()
        if word in _UNITS:
            if last == "unit" or (last == "tens" and not 0 < _UNITS[word] < 10):
                break
            current += _UNITS[word]
            last = "unit"
        elif word in _TENS_VALUES:
            if last in ("unit", "tens"):
                break
            current += _TENS_VALUES[word]
            last = "tens"
        elif used and word in ("hundred", "thousand", "dozen") and last != "scale":
            current *= _SCALES[word]
            if word == "thousand":
                total, current = total + current, 0
            last = "scale"
        elif word == "and" and last == "scale" and _is_number_word(tokens, i + used + 1):
            last = "and"
        else:
            break
        used += 1
    return (total + current, used) if used else None


def _is_number_word(tokens: list[re.Match[str]], i: int) -> bool:
    word = tokens[i].group().lower() if i < len(tokens) else ""
    return word in _UNITS or word in _TENS_VALUES


def _joined(text: str, end: int, start: int) -> bool:
    return start - end <= 2 and text[end:start].strip() in ("", "-", "‐", "‑")


def _chinese(text: str) -> list[WrittenNumber]:
    """Numbers below one hundred before a counter word, as in 六架飞机."""
    found: list[WrittenNumber] = []
    if text.isascii():
        return found
    for match in _CHINESE_NUMBER.finditer(text):
        left, ten, right = match.groups()
        if not match.group():
            continue
        value = (
            (_CHINESE.get(left, 1) * 10 + _CHINESE.get(right, 0)) if ten else _CHINESE.get(left or right, 0)
        )
        found.append(WrittenNumber(value, match.start(), match.end(), True))
    return found
