"""How RS_Tester scores captions (minglangL/RSThinker, `RS_Tester/metrics.py`). Knows texts.

Its BLEU is handed texts where lists of words belong, so its n-grams are of characters. What it calls CIDEr has no
document frequencies of a corpus and no stems: overlap of n-grams, and a cosine of tf-idf fitted on the two texts at
hand. (scikit-learn's defaults: words of two letters or more, idf = ln(3 / (1 + df)) + 1, unit length.)
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Sequence

from groundproof_training.metrics.captions import Tokens

WEIGHTS = ((1.0, 0.0, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0), (0.33, 0.33, 0.33, 0.0), (0.25, 0.25, 0.25, 0.25))
"""Of BLEU-1 to BLEU-4; the third do not add up to 1 there either."""
_MARKS = re.compile(r"\{[^}]*\}|<[^>]*>")
_WORD = re.compile(r"\b\w\w+\b")


def without_marks(text: str) -> str:
    """A caption without what stands in braces or angle brackets."""
    return _MARKS.sub("", text)


def character_bleu(said: str, references: Sequence[str]) -> tuple[float, ...]:
    """ "BLEU-1" to "BLEU-4": nltk's `sentence_bleu` without smoothing, over characters."""
    if not said or not references:
        return (0.0,) * 4
    logs = []
    for n in range(1, 5):
        mine = _grams(said, n)
        allowed: Counter[str] = Counter()
        for reference in references:
            allowed |= _grams(reference, n)
        matched, possible = (mine & allowed).total(), mine.total()
        if n == 1 and not matched:
            return (0.0,) * 4
        logs.append(math.log(matched / possible if matched else sys.float_info.min))
    closest = min((abs(len(one) - len(said)), len(one)) for one in references)[1]
    brevity = 1.0 if len(said) > closest else math.exp(1 - closest / len(said))
    return tuple(
        brevity * math.exp(math.fsum(w * log for w, log in zip(weights, logs, strict=True)))
        for weights in WEIGHTS
    )


def so_called_cider(said: str, reference: str) -> float:
    """Mean over n = 1..4 of shared n-grams over the longer text's, and of the cosine of tf-idf; 0 where one of the
    eight cannot be reckoned, as for a text of three words."""
    mine, theirs = said.split(), reference.split()
    my_words, their_words = (_WORD.findall(text.lower()) for text in (said, reference))
    total = 0.0
    for n in range(1, 5):
        one, other = _word_grams(mine, n), _word_grams(theirs, n)
        longest = max(one.total(), other.total())
        cosine = _cosine(_word_grams(my_words, n), _word_grams(their_words, n))
        if not longest or cosine is None:
            return 0.0
        total += (one & other).total() / longest + cosine
    return total / 8


def _cosine(one: Counter[Tokens], other: Counter[Tokens]) -> float | None:
    """Of the tf-idf of two documents; None where neither has a term."""
    if not one and not other:
        return None
    norms = []
    for mine, theirs in ((one, other), (other, one)):
        norms.append(math.sqrt(sum((count * _idf(term in theirs)) ** 2 for term, count in mine.items())))
    if not all(norms):
        return 0.0
    return sum(one[term] * other[term] for term in one.keys() & other.keys()) / (norms[0] * norms[1])


def _idf(in_both: bool) -> float:
    return math.log(3 / (3 if in_both else 2)) + 1


def _grams(text: str, n: int) -> Counter[str]:
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


def _word_grams(words: Sequence[str], n: int) -> Counter[Tokens]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
