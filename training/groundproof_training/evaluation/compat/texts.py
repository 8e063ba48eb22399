"""Texts as the published scripts read and compare them. Knows words; refuses to know boxes and which script uses what.

ROUGE is that of the library rouge-score (Google Research) with its stemmer, METEOR is nltk's, words are nltk's Treebank
words. Two things differ from the scripts, and are said where they count: WordNet is used where nltk has it on this
machine and named where it has not, and sentences end at . ? ! before white space instead of where Punkt, which is data
too, sees an end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from nltk.stem.porter import PorterStemmer
from nltk.tokenize import NLTKWordTokenizer
from rapidfuzz.distance import LCSseq

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Case, Status
from groundproof_training.metrics.captions import Meteor, Tokens, meteor

MAX_CHARACTERS = 20_000
"""Of an answer in words that are compared; nothing longer was meant as one, and some of the scripts' patterns take time
with the square of it."""
_AFTER_THINKING = re.compile(r"</think>\s*<answer>")
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_TREEBANK = NLTKWordTokenizer()
_PORTER = PorterStemmer()


def answer_of(case: Case) -> str:
    """What was answered, as it was written: within its tags where it has them, else the whole text. "" where nothing
    was said at all."""
    if case.said.status in (Status.MISSING, Status.FAILED):
        return ""
    text = case.said.text
    found = _AFTER_THINKING.search(text)
    begin = found.end() if found else text.find("<answer>") + len("<answer>")
    if begin < len("<answer>"):
        return text
    end = text.find("</answer>", begin)
    return text[begin:] if end < 0 else text[begin:end]


def words_of(case: Case) -> str:
    """The answer where it is compared as words."""
    return answer_of(case)[:MAX_CHARACTERS]


def truth_of(case: Case) -> str:
    """The truth as one text: as its source writes it, else its first wording, class or number."""
    true = case.truth
    if true.text.strip():
        return true.text
    number = "" if true.count is None else str(true.count)
    return next(iter((*true.texts, *true.classes)), number)


def references_of(case: Case) -> tuple[str, ...]:
    """Every reference: the first as its source writes it where that is a plain text, without boxes."""
    return case.truth.texts or ((truth_of(case),) if truth_of(case) else ())


@lru_cache(maxsize=8192)
def treebank(text: str) -> Tokens:
    """nltk's `word_tokenize`, with the module's own ends of sentences."""
    return tuple(word for part in _SENTENCE.split(text) for word in _TREEBANK.tokenize(part))


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return _PORTER.stem(word) if len(word) > 3 else word


@lru_cache(maxsize=8192)
def rouge_tokens(text: str) -> Tokens:
    """Runs of ASCII letters and digits in lower case, those of more than three letters by their Porter stem."""
    return tuple(_stem(word) for word in _NO_LETTER.sub(" ", text.lower()).split())


def rouge_1(reference: str, said: str) -> float:
    """F of words in both, each as often as it stands in both."""
    one, other = Counter(rouge_tokens(reference)), Counter(rouge_tokens(said))
    return _f((one & other).total(), other.total(), one.total())


def rouge_l(reference: str, said: str) -> float:
    """F of the longest common subsequence."""
    one, other = rouge_tokens(reference), rouge_tokens(said)
    return _f(LCSseq.similarity(one, other) if one and other else 0, len(other), len(one))


def _f(common: int, said: int, true: int) -> float:
    return 2 * common / (said + true) if common else 0.0


@lru_cache(maxsize=1)
def meteor_variant() -> Meteor:
    """With WordNet where it is on this machine, as published."""
    try:
        meteor(("a",), [("b",)], Meteor.WORDNET)
    except TrainingError:
        return Meteor.EXACT_STEM
    return Meteor.WORDNET


def meteor_name() -> str:
    """What the measure is called, so that a figure without WordNet is never taken for one with it."""
    return "meteor" if meteor_variant() is Meteor.WORDNET else "meteor (without WordNet)"


def meteor_of(said: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """nltk's METEOR of words, best over the references; 0 where nothing was said."""
    return meteor(tuple(said), [tuple(one) for one in references], meteor_variant())
