"""The caption reward: a weighted sum of four metrics, each in [0, 1]. Refuses to know where the texts come from."""

from __future__ import annotations

from collections.abc import Sequence

from groundproof_training.metrics.captions import MAX_N, bleu_counts, meteor, rouge_l, tokens
from groundproof_training.metrics.cider import SCALE, Frequencies, cider_d
from groundproof_training.metrics.text import token_f1
from groundproof_training.rewards.settings import RSThinkerSettings


def caption_score(
    said: str, references: Sequence[str], settings: RSThinkerSettings, table: Frequencies | None
) -> float:
    """Weighted mean of BLEU-4, METEOR, CIDEr-D / 10 and ROUGE-L, times the share of the caption within
    `settings.longest` times the longest reference. table: needed where CIDEr has a weight.

    References of under four words ("A ship.") have no 4-grams, so that nothing could score above 0.61 against them:
    there it is the best token F1.
    """
    weights = settings.captions
    caption, known = tokens(said), [tokens(one) for one in references]
    known = [one for one in known if one]
    if not caption or not known:
        return 0.0
    if max(map(len, known)) < MAX_N:
        return max(token_f1(said, one) for one in references)
    parts = [
        (weights.bleu_4, lambda: bleu_counts(caption, known).score()),
        (weights.meteor, lambda: meteor(caption, known, settings.meteor)),
        (weights.cider, lambda: min(1.0, cider_d(caption, known, _needed(table)) / SCALE)),
        (weights.rouge_l, lambda: rouge_l(caption, known)),
    ]
    total = sum(weight for weight, _ in parts)
    if not total:
        return 0.0
    score = sum(weight * value() for weight, value in parts if weight) / total
    limit = settings.longest * max(map(len, known))
    return score * min(1.0, limit / len(caption))


def _needed(table: Frequencies | None) -> Frequencies:
    if table is None:
        raise ValueError("CIDEr has a weight, and there is no table of document frequencies")
    return table
