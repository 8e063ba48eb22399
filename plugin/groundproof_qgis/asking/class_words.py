"""Classes as words of a question, so that what is asked stands where everybody can read it.

Knows English, because the engines' models are trained on English questions; so nothing here is translated. Refuses to
know widgets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TASKS_WITH_CLASSES = ("count", "detect", "classify")

SAME_IN_PLURAL = ("aircraft", "spacecraft", "hovercraft", "farmland", "forest land", "water")

_CHOICE = re.compile(r"\s*Choose from: [^.\n]*\.\s*$")


def plural(label: str) -> str:
    """Of an English noun phrase, by its last word: "sports field" -> "sports fields"."""
    if label.endswith(SAME_IN_PLURAL):
        return label
    if re.search(r"(s|x|z|ch|sh)$", label):
        return label + "es"
    if re.search(r"[^aeiou]y$", label):
        return label[:-1] + "ies"
    return label + "s"


def parsed(text: str) -> tuple[str, ...]:
    """Classes as typed, separated by commas or semicolons, each once."""
    words = (" ".join(part.split()) for part in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(word for word in words if word))


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def made_question(task: str, classes: Sequence[str]) -> str:
    """The question that counts or finds these classes; "" without classes and for other tasks."""
    if not classes or task not in ("count", "detect"):
        return ""
    names = _joined([plural(one) for one in classes])
    return f"How many {names} are there?" if task == "count" else f"Where are the {names}?"


def with_choice(question: str, classes: Sequence[str]) -> str:
    """The question ending in "Choose from: a, b, c."; an earlier such ending goes. Without classes: without it."""
    bare = _CHOICE.sub("", question).rstrip()
    if not classes:
        return bare
    asked = bare or "What is this area?"
    return f"{asked} Choose from: {', '.join(classes)}."
