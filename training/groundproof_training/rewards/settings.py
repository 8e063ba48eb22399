"""What rewards can be told. Frozen, unknown keys are refused. Every value is ours unless its line says "published"."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from groundproof_training.metrics.captions import Meteor
from groundproof_training.metrics.class_groups import GROUPS
from groundproof_training.metrics.detection import Ranking


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaptionWeights(_Frozen):
    """Weights of the caption sum. RSThinker publishes the four metrics and not the weights."""

    bleu_4: float = Field(0.25, ge=0)
    meteor: float = Field(0.25, ge=0)
    cider: float = Field(0.25, ge=0)
    rouge_l: float = Field(0.25, ge=0)


class RSThinkerSettings(_Frozen):
    """RSThinker's reward table (arXiv 2509.22221, table 3) with what it leaves open.

    alpha: of the counting reward. partial: published value; what earns it is ours (`metrics.text.nearly_same`,
    `groups`), as is token_f1. iou: published threshold of detection. f1_share: how much of the detection reward is
    F1, the rest AP; ranking: of that AP. cider_table: file of `metrics.cider.Frequencies`; None: made from the
    training samples. longest: a caption longer than this many times its longest reference loses in proportion.
    """

    alpha: float = Field(1.0, gt=0)
    partial: float = Field(0.6, ge=0, le=1)
    token_f1: float = Field(0.5, ge=0, le=1)
    iou: float = Field(0.5, gt=0, le=1)
    f1_share: float = Field(0.5, ge=0, le=1)
    ranking: Ranking = Ranking.TIED
    captions: CaptionWeights = CaptionWeights()
    meteor: Meteor = Meteor.EXACT_STEM
    cider_table: Path | None = None
    longest: float = Field(2.0, ge=1)
    groups: dict[str, tuple[str, ...]] = Field(default_factory=lambda: dict(GROUPS))


class GeoVLMR1Settings(_Frozen):
    """GeoVLM-R1's task rewards (arXiv 2509.25026): their names are published, their formulas are not.

    classes: "recall" as published, which naming every class maximises; "guarded-recall": times true classes over named
    ones where more are named. similarity: what compares sentences: "sentence-encoder" (published; a local folder in
    `encoder`) or "lexical", token F1 in its stead; has to be chosen. encoder_batch: texts at once.
    """

    classes: Literal["recall", "guarded-recall"] = "guarded-recall"
    iou: float = Field(0.5, gt=0, le=1)
    similarity: Literal["sentence-encoder", "lexical"] | None = None
    encoder: Path | None = None
    short_words: int = Field(3, ge=1)
    """Answers of up to so many words are short, compared by Jaccard; longer ones by similarity."""


class FaithfulnessSettings(_Frozen):
    """Our reward of the rationale. Weights of what makes it up, besides the boxes themselves, which multiply it."""

    iou: float = Field(0.5, gt=0, le=1)
    agreement: float = Field(2.0, ge=0)
    worded: float = Field(1.0, ge=0)
    boxed: float = Field(1.0, ge=0)


class FormatSettings(_Frozen):
    """The format rewards have nothing to choose."""
