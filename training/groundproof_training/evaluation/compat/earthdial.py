"""EarthDial's evaluation, which GeoVLM-R1's tables rest on (hiyamdebary/EarthDial, `src/earthdial/eval`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from groundproof.protocol import Task
from groundproof_training.evaluation.cases import Case, Family
from groundproof_training.evaluation.compat import earthdial_boxes
from groundproof_training.evaluation.compat.texts import (
    meteor_name,
    meteor_of,
    references_of,
    rouge_1,
    rouge_l,
    treebank,
    truth_of,
    words_of,
)
from groundproof_training.evaluation.compat.written import PERCENT, on_grid
from groundproof_training.evaluation.figures import Measure, mean
from groundproof_training.metrics.boxes import Floats

TYPES = ("presence", "comp", "rural_urban")
"""The types of question that its averages of RSVQA count; questions for a number are left out."""
_REF = re.compile(r"</?ref>")
_BOXES = re.compile(r"<box>\[\[.*?\]\]</box>|\[\[.*?\]\]")

_RECALL = (
    "Share of the truth's words that stand in the answer, spaces removed first: what is said beside them is never "
    "punished, so an answer that lists every class is right wherever words are apart by commas"
)
_ONE_REFERENCE = (
    "Against one reference, words cut at spaces: hides that the truth's colour and size words decide most of it; not "
    "comparable with COCO's ROUGE and METEOR"
)
_AVERAGED = (
    "Mean over the references, not the best of them, so references that differ hold every model down; not comparable "
    "with COCO's ROUGE-L"
)


class EarthDial:
    """See the module."""

    def measures(self, cases: Sequence[Case]) -> list[Measure]:
        """Precision of boxes, words of captions, word recall of everything else."""
        if not cases:
            return []
        family = cases[0].family
        if family in (Family.DETECTION, Family.GROUNDING):
            known = all(
                on_grid(case, PERCENT) or (case.truth.boxes is not None and case.size is not None)
                for case in cases
            )
            return earthdial_boxes.detection(cases) if known else []
        return _captions(cases) if family is Family.CAPTIONING else _recalls(cases)


def token_recall(true: str, said: str) -> float:
    """Different words of the truth that stand in the answer, over all words of the truth; both in small letters and
    without spaces before they are cut."""
    one, other = (treebank(text.strip().lower().replace(" ", "")) for text in (true, said))
    return len(set(one) & set(other)) / len(one) if one else 0.0


def _recalls(cases: Sequence[Case]) -> list[Measure]:
    values = np.array([token_recall(truth_of(case), words_of(case)) for case in cases])
    types = np.array([case.meta.get("type", "") for case in cases])
    made: list[Measure] = [mean("token recall", values, note=f"{_RECALL}.")]
    if not np.isin(types, TYPES).any():
        return made
    counted = np.isin(types, TYPES)
    note = f"{_RECALL}; mean over questions of {', '.join(TYPES)}: leaves out every question for a number."
    made.append(mean("token recall, published types", np.where(counted, values, np.nan), note=note))
    for kind in TYPES:
        of_kind = np.where(types == kind, values, np.nan)
        made.append(mean(f"token recall {kind}", of_kind, note=f"{_RECALL}."))
    return made


def _captions(cases: Sequence[Case]) -> list[Measure]:
    kinds = {case.task for case in cases}
    if kinds == {Task.GROUNDED_CAPTION}:
        made, scored = earthdial_boxes.description(cases)
        return [*made, *_single(cases, _described, np.where(scored, 1.0, np.nan))]
    if kinds == {Task.REGION_CAPTION}:
        return _single(cases, lambda text: text, np.ones(len(cases)))
    return _several(cases)


def _single(cases: Sequence[Case], shown: Callable[[str], str], keep: Floats) -> list[Measure]:
    """Against the one reference. shown: what of a text is compared. keep: (n,) 1, or NaN for a case left out."""
    said = [shown(words_of(case)) for case in cases]
    true = [shown(_reference(case)) for case in cases]
    pairs = list(zip(true, said, strict=True))
    values = {
        "rouge-1": [rouge_1(*pair) for pair in pairs],
        "rouge-l": [rouge_l(*pair) for pair in pairs],
        meteor_name(): [meteor_of(b.split(), [a.split()]) for a, b in pairs],
    }
    return [
        mean(name, np.array(each, dtype=np.float64) * keep, note=f"{_ONE_REFERENCE}.")
        for name, each in values.items()
    ]


def _several(cases: Sequence[Case]) -> list[Measure]:
    """Against all references, with nltk's words."""
    said = [words_of(case) for case in cases]
    true = [references_of(case) for case in cases]

    def averaged(rouge: Callable[[str, str], float]) -> Floats:
        return np.array(
            [
                sum(rouge(_cut(one), _cut(text)) for one in several) / len(several) if several else 0.0
                for text, several in zip(said, true, strict=True)
            ]
        )

    words = [
        meteor_of(treebank(text), [treebank(one) for one in several])
        for text, several in zip(said, true, strict=True)
    ]
    note = (
        "nltk's METEOR, the best reference: higher than and not comparable with the METEOR of COCO's caption tools; "
        "sentences are cut by our own rule."
    )
    return [
        mean("rouge-1", averaged(rouge_1), note=f"{_AVERAGED}."),
        mean("rouge-l", averaged(rouge_l), note=f"{_AVERAGED}."),
        mean(meteor_name(), np.array(words, dtype=np.float64), note=note),
    ]


def _reference(case: Case) -> str:
    return truth_of(case) if on_grid(case, PERCENT) else next(iter(references_of(case)), "")


def _cut(text: str) -> str:
    return " ".join(treebank(text))


def _described(text: str) -> str:
    """A description without its marks and boxes; the words of a <ref> stay."""
    return "\n".join(map(_without_boxes, _REF.sub("", text).split("\n")))


def _without_boxes(line: str) -> str:
    """Boxes end on their line. Behind its last end there are none, and every beginning there would be read to the
    line's end."""
    end = line.rfind("]]") + len("]]</box>")
    return _BOXES.sub("", line[:end]) + line[end:]
