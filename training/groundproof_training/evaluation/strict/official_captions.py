"""COCO's own caption tools that need Java: METEOR 1.5 and SPICE, on the Stanford tokenizer's tokens.

Optional, never by default: `pycocoevalcap` runs jars, and SPICE's models are downloaded by hand, so each tool that
cannot run is a sentence and not a failure. Nothing is downloaded here.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.figures import Measure, mean
from groundproof_training.evaluation.strict.answered import answer_of
from groundproof_training.rewards.reading import prose

TOOLS = ("meteor-1.5", "spice")
_SPICE_MODELS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")
_NOTES = {
    "meteor-1.5": "METEOR 1.5 of COCO's tools (stems, WordNet, paraphrases), what captioning papers print.",
    "spice": "SPICE of COCO's tools: F1 of what scene graphs of the texts state.",
}

Texts = dict[str, list[str]]


def official(cases: Sequence[Case], tools: Sequence[str] = TOOLS) -> tuple[list[Measure], list[str]]:
    """Measures of the tools that can run, and one sentence for each that cannot. A case without a caption has 0."""
    missing = _missing()
    if missing:
        return [], [f"{', '.join(tools)} cannot run: {missing}."]
    made: list[Measure] = []
    problems = []
    for tool in tools:
        if tool == "spice" and (absent := _no_spice()):
            problems.append(f"spice cannot run: {absent}.")
            continue
        try:
            scores = _scores(cases, tool)
        except (OSError, ValueError, AssertionError, subprocess.SubprocessError) as err:
            problems.append(f"{tool} did not run: {err or type(err).__name__}.")
            continue
        made.append(mean(tool, scores, note=_NOTES[tool]))
    return made, problems


def _missing() -> str:
    if importlib.util.find_spec("pycocoevalcap") is None:
        return "the package pycocoevalcap is not installed (`pip install pycocoevalcap`)"
    if shutil.which("java") is None:
        return "there is no Java on the PATH (version 8 or later runs METEOR)"
    return ""


def _no_spice() -> str:
    spec = importlib.util.find_spec("pycocoevalcap.spice")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    absent = [name for name in _SPICE_MODELS if not (folder / name).is_file()]
    return f"its models {' and '.join(absent)} are not in pycocoevalcap's folder spice/lib" if absent else ""


def _scores(cases: Sequence[Case], tool: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n,), NaN without references. Keys are row numbers: of two models the ids come twice."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    scores = np.full(len(cases), np.nan)
    said: dict[str, list[dict[str, str]]] = {}
    true: dict[str, list[dict[str, str]]] = {}
    for row, case in enumerate(cases):
        references = [text for text in case.truth.texts or (case.truth.text,) if text.strip()]
        if not references:
            continue
        scores[row] = 0.0
        if (answer := _line(answer_of(case) or "")).strip():
            said[str(row)] = [{"caption": answer}]
            true[str(row)] = [{"caption": _line(text)} for text in references]
    if not said:
        return scores
    cut = PTBTokenizer()
    words, references_of = cut.tokenize(said), cut.tokenize(true)
    keys = [key for key in said if words[key][0].strip()]
    if keys:
        values = _RUN[tool]({key: references_of[key] for key in keys}, {key: words[key] for key in keys})
        scores[[int(key) for key in keys]] = values
    return scores


def _line(text: str) -> str:
    """Without boxes, and on one line, as the tools' protocol of lines needs."""
    return prose(text.replace("|||", " "))


def _meteor(references: Texts, said: Texts) -> list[float]:
    from pycocoevalcap.meteor.meteor import Meteor

    return [float(one) for one in Meteor().compute_score(references, said)[1]]


def _spice(references: Texts, said: Texts) -> list[float]:
    from pycocoevalcap.spice.spice import Spice

    logging.getLogger(__name__).info("SPICE parses every sentence: minutes for thousands.")
    return [float(one["All"]["f"]) for one in Spice().compute_score(references, said)[1]]


_RUN: dict[str, Callable[[Texts, Texts], list[float]]] = {"meteor-1.5": _meteor, "spice": _spice}
