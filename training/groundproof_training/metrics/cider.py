"""CIDEr-D against a fixed table of document frequencies (Vedantam et al. 2015, arXiv 1411.5726).

The published script counts frequencies in the test set it scores, so its value of one caption changes with the
other captions, and is undefined for one alone. As a reward it needs a table made once, from training references.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from groundproof_training.errors import TrainingError
from groundproof_training.metrics.captions import MAX_N, Tokens, tokens

SIGMA = 6.0
"""Width of the length penalty, tokens."""
SCALE = 10.0
"""CIDEr-D of a caption equal to its only reference; the largest value there is."""
_FORMAT = "groundproof document frequencies 1"


@dataclass(frozen=True)
class Frequencies:
    """In how many of `documents` (images) each n-gram stands in some reference; n = 1..4, words joined by a space."""

    documents: int
    counts: dict[str, int]

    @classmethod
    def of(cls, references: Iterable[Sequence[str]]) -> Frequencies:
        """From the reference captions (texts) of many images, one sequence for each image."""
        return cls.of_tokens([tokens(caption) for caption in captions] for captions in references)

    @classmethod
    def of_tokens(cls, references: Iterable[Sequence[Tokens]]) -> Frequencies:
        """From the references' tokens."""
        counts: Counter[str] = Counter()
        documents = 0
        for captions in references:
            documents += 1
            counts.update(
                {gram for caption in captions for n in range(1, MAX_N + 1) for gram in _grams(caption, n)}
            )
        if not documents:
            raise TrainingError(
                "CIDEr needs the reference captions of at least one image to count n-grams in; there are none."
            )
        return cls(documents, dict(counts))

    @cached_property
    def rarity(self) -> dict[str, float]:
        """Logarithm of documents / documents that have it, of each n-gram."""
        total = math.log(max(1, self.documents))
        return {gram: total - math.log(max(1, count)) for gram, count in self.counts.items()}

    def save(self, path: Path) -> None:
        """As JSON, n-grams sorted, so that the same captions give the same file."""
        table = {"format": _FORMAT, "documents": self.documents, "counts": dict(sorted(self.counts.items()))}
        path.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Frequencies:
        """The table that `save` wrote. Raises TrainingError for any other file."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            if table["format"] != _FORMAT:
                raise ValueError(f"format {table['format']!r}")
            return cls(int(table["documents"]), {str(k): int(v) for k, v in table["counts"].items()})
        except OSError as err:
            raise TrainingError(f"The CIDEr table {path} cannot be read: {err.strerror or err}.") from err
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            raise TrainingError(f"{path} is not a CIDEr table of groundproof ({err!r}).") from err


def _grams(words: Tokens, n: int) -> Iterable[str]:
    """N-grams of n words in their order."""
    return words if n == 1 else map(" ".join, zip(*(words[k:] for k in range(n)), strict=False))


def cider_d(caption: Tokens, references: Sequence[Tokens], table: Frequencies) -> float:
    """CIDEr-D of one caption, 0..10: TF-IDF cosine of clipped n-grams, mean over n = 1..4 and the references, with
    a Gaussian penalty of the difference in length. No reference: 0.

    An n-gram that the table does not know counts as if one image had it.
    """
    if not references:
        return 0.0
    total = math.log(max(1, table.documents))
    mine, my_norm = _vector(caption, total, table.rarity)
    score = 0.0
    for reference in references:
        theirs, their_norm = _vector(reference, total, table.rarity)
        delta = max(0, len(caption) - 1) - max(0, len(reference) - 1)  # the script counts bigrams
        penalty = math.exp(-(delta**2) / (2 * SIGMA**2))
        for n in range(MAX_N):
            if my_norm[n] and their_norm[n]:
                shared = mine[n].keys() & theirs[n].keys()
                common = sum(min(mine[n][gram], theirs[n][gram]) * theirs[n][gram] for gram in shared)
                score += penalty * common / (my_norm[n] * their_norm[n])
    return SCALE * score / (MAX_N * len(references))


def _vector(
    words: Tokens, total: float, rarity: dict[str, float]
) -> tuple[list[dict[str, float]], list[float]]:
    vector = []
    for n in range(1, MAX_N + 1):
        grams = (
            Counter(words)
            if n == 1
            else Counter(map(" ".join, zip(*(words[k:] for k in range(n)), strict=False)))
        )
        vector.append({gram: times * rarity.get(gram, total) for gram, times in grams.items()})
    return vector, [math.sqrt(sum(w * w for w in part.values())) for part in vector]
