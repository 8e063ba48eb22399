"""Captions against references: tokens, BLEU-1..4, ROUGE-L and METEOR for one caption or a corpus.

Knows token lists. Refuses to know images. The definitions are COCO caption evaluation's (Chen et al. 2015,
arXiv 1504.00325), whose tokenizer and METEOR need Java; these do not. CIDEr-D is in `cider`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from nltk.stem import PorterStemmer
from nltk.tokenize import TreebankWordTokenizer
from nltk.translate.meteor_score import single_meteor_score
from rapidfuzz.distance import LCSseq

from groundproof_training.errors import TrainingError

Tokens = tuple[str, ...]

MAX_N = 4
ROUGE_BETA = 1.2
"""COCO's weight of recall over precision."""
METEOR_TOKENS = 400
"""METEOR's alignment is quadratic in Python: of a longer caption its beginning is aligned, and the rest counts as
words that match nothing."""

_PUNCTUATION = frozenset(
    ("''", "'", "``", "`", "(", ")", "{", "}", ".", "?", "!", ",", ":", "-", "--", "...", ";")
)
"""What COCO's tokenizer drops (its list, with -LRB- and the like as the brackets they stand for)."""
_INNER_STOP = re.compile(r"(?<=[^\s.])\.(?=\s|$)")
_PLAIN = re.compile(r"(?:[a-z0-9 ]|[.,;:?!](?= |\Z))+")
_GAPS = re.compile(r"[ .,;:?!]+")
_CONTRACTED = re.compile(r"cannot|gimme|gonna|gotta|lemme|wanna|whaddya|whatcha|wotcha|d ye|more n|tis|twas")
_TREEBANK = TreebankWordTokenizer()


@lru_cache(maxsize=8192)
def tokens(text: str) -> Tokens:
    """Words in lower case as the Penn Treebank splits them ("don't" is do n't), without punctuation.

    Close to COCO's Stanford tokenizer, not equal to it: abbreviations lose their full stop, and what stands in
    square brackets keeps its brackets apart.
    """
    plain = text.lower().replace("\n", " ")
    if _PLAIN.fullmatch(plain) and not _CONTRACTED.search(plain):
        return tuple(_GAPS.sub(" ", plain).split())  # the same, ten times as fast
    spaced = _INNER_STOP.sub(" .", plain)
    return tuple(token for token in _TREEBANK.tokenize(spaced) if token not in _PUNCTUATION)


def _grams(words: Tokens, n: int) -> Counter[Tokens]:
    return Counter(words[i : i + n] for i in range(len(words) - n + 1))


@dataclass(frozen=True, slots=True)
class BleuCounts:
    """What BLEU is made of, for one caption or summed: matched and possible n-grams (n = 1..4), length of the
    caption, length of the reference closest to it."""

    matched: tuple[int, ...] = (0,) * MAX_N
    possible: tuple[int, ...] = (0,) * MAX_N
    length: int = 0
    reference: int = 0

    def __add__(self, other: BleuCounts) -> BleuCounts:
        return BleuCounts(
            tuple(a + b for a, b in zip(self.matched, other.matched, strict=True)),
            tuple(a + b for a, b in zip(self.possible, other.possible, strict=True)),
            self.length + other.length,
            self.reference + other.reference,
        )

    def score(self, n: int = MAX_N) -> float:
        """BLEU-n, unsmoothed (Papineni et al. 2002): 0 where any order of n-grams up to n has no match."""
        if not 1 <= n <= MAX_N:
            raise ValueError(f"BLEU-1 to BLEU-{MAX_N} are defined here, got n = {n}")
        if not all(self.matched[:n]):
            return 0.0
        mean = sum(math.log(m / p) for m, p in zip(self.matched[:n], self.possible[:n], strict=True)) / n
        return math.exp(mean + min(0.0, 1 - self.reference / self.length))


def bleu_counts(caption: Tokens, references: Sequence[Tokens]) -> BleuCounts:
    """Counts of one caption; each n-gram matches as often as the reference that has it most often (clipping)."""
    matched, possible = [], []
    for n in range(1, MAX_N + 1):
        mine = _grams(caption, n)
        allowed: Counter[Tokens] = Counter()
        for reference in references:
            allowed |= _grams(reference, n)
        matched.append(sum((mine & allowed).values()))
        possible.append(sum(mine.values()))
    closest = min((abs(len(r) - len(caption)), len(r)) for r in references)[1] if references else 0
    return BleuCounts(tuple(matched), tuple(possible), len(caption), closest)


def rouge_l(caption: Tokens, references: Sequence[Tokens]) -> float:
    """ROUGE-L, COCO's: F of the longest common subsequence with beta 1.2, best precision and best recall over the
    references, not necessarily of the same one. Empty caption or no reference: 0."""
    if not caption or not any(references):
        return 0.0
    common = [LCSseq.similarity(caption, reference) for reference in references]
    precision = max(common) / len(caption)
    recall = max(c / len(r) for c, r in zip(common, references, strict=True) if r)
    if not precision or not recall:
        return 0.0
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)


def rouge_1(caption: Tokens, references: Sequence[Tokens]) -> float:
    """ROUGE-1: F1 of words, each counted as often as it stands, of the best reference. Nothing in common: 0."""
    mine = Counter(caption)
    return max(
        (2 * sum((mine & Counter(r)).values()) / (len(caption) + len(r)) for r in references if r),
        default=0.0,
    )


class Meteor(StrEnum):
    """Which words METEOR takes for the same."""

    EXACT_STEM = "exact-stem"
    """The same word or the same Porter stem. Needs no data, so it is the same everywhere."""
    WORDNET = "wordnet"
    """Synonyms of WordNet too, as published (Banerjee and Lavie 2005). Needs nltk's WordNet data."""


@lru_cache(maxsize=2)
def _wordnet(variant: Meteor) -> Any:
    if variant is Meteor.EXACT_STEM:
        return SimpleNamespace(synsets=lambda _word: [])
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError as err:
        raise TrainingError(
            "METEOR with WordNet was asked for, and nltk's WordNet data is not on this machine. Put it there with "
            '`python -m nltk.downloader wordnet`, or choose meteor = "exact-stem", which matches words and stems only.'
        ) from err
    return wordnet


def require_wordnet() -> None:
    """Raises TrainingError where METEOR with WordNet cannot be had."""
    _wordnet(Meteor.WORDNET)


_stem = lru_cache(maxsize=65536)(PorterStemmer().stem)
_STEMMER = SimpleNamespace(stem=_stem)
"""Porter's, each word once: stemming is nearly all of METEOR's time."""


def meteor(caption: Tokens, references: Sequence[Tokens], variant: Meteor = Meteor.EXACT_STEM) -> float:
    """METEOR of nltk (alpha .9, beta 3, gamma .5), best over the references; 0 for an empty caption.

    Not the METEOR 1.5 of pycocoevalcap, whose jar has other parameters and paraphrases: the numbers do not compare.
    """
    if not caption:
        return 0.0
    head = caption[:METEOR_TOKENS]
    known = _wordnet(Meteor(variant))
    best = max(
        (single_meteor_score(r, head, stemmer=_STEMMER, wordnet=known) for r in references if r), default=0.0
    )
    return float(best) * len(head) / len(caption)
