"""What a question asks for: the task, and the labels of the objects it is about.

Knows questions in English (and the counting words of a few other languages). Refuses to know models and
prompts. A guess says why, in words; `--task` overrides it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from groundproof.errors import UsageError
from groundproof.labels import KNOWN, normalise

MAX_QUESTION = 2000
"""Characters. Longer text is a document, not a question; models lose the image over it."""


class Task(StrEnum):
    """What kind of answer is wanted; see the architecture's table of words."""

    COUNT = "count"
    DETECT = "detect"
    GROUND = "ground"
    CLASSIFY = "classify"
    CAPTION = "caption"
    REGION_CAPTION = "region-caption"
    GROUNDED_CAPTION = "grounded-caption"
    VQA = "vqa"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class TaskGuess:
    """The task read from a question. reason: words for a person, such as: it asks "how many"."""

    task: Task
    reason: str


_COUNT = re.compile(
    r"\b(how many|number of|count(?! on)|total of|amount of|wie ?viele|combien|cu[aá]nt[oa]s|quantos|quante)\b"
    r"|多少|几[个架艘辆]"
)
_EXISTENCE = re.compile(
    r"^(?:(?:please|tell me|say|answer)\b[\s,:]*)*(?:(?:if|whether)\s+)?"
    r"(?:(?P<there>(?:is|are|was|were) there|there (?:is|are))|(?P<see>(?:do|can|could) (?:you|we"
    r"|i) (?:see|find|spot|detect))"
    r"|(?P<show>(?:does|do) (?:the|this|these|it)\b[\w\s]{0,40}?\b(?:contain|show|have|include|depict))"
    r"|(?P<visible>(?:is|are) (?=[\w\s]{1,60}\b(?:visible|present|seen|in (?:the|this) (?:image|picture"
    r"|photo|scene|tile))\b)))\b"
)
_BOX = re.compile(r"\[\s*-?\d[\d.\s,-]*,[\d.\s,-]*\]|\{\s*<\d+>")
_CHANGE = re.compile(
    r"\b(chang\w*|differ\w*|before and after|new(?:ly)? (?:built|constructed)|appeared|disappeared)\b"
)
_CLASSIFY = re.compile(
    r"\b(classify|classification|categori[sz]e|land[ -]?(?:use|cover)|scene (?:type|class|category)"
    r"|(?:what|which) (?:type|kind|class|category|categories|classes|sort)\b|(?:what"
    r"|which) is the (?:class|category|scene)"
    r"|which of (?:the|these)|choose (?:one|from))"
)
_DESCRIBE = re.compile(
    r"\b(describe|description|caption|summari[sz]e|summary|what (?:does|do) (?:the|this|these|it)\b.*\bshow"
    r"|what (?:can you see|do you see|is (?:shown|visible|in the (?:image|picture|scene|tile)))"
    r"|tell me about)\b"
)
_WITH_BOXES = re.compile(
    r"\b(ground(?:ed|ing)|with (?:the )?(?:boxes|box|bounding|locations?|coordinates)"
    r"|and (?:locate|mark|box|point|give the (?:boxes|locations?))|bounding box)"
)
_FIND = re.compile(
    r"^(?:please\s+)?(?:can you\s+)?(?:detect|find|locate|mark|outline|draw|box|show|list|identify"
    r"|point|spot|segment|map"
    r"|give|where|highlight|label)\b|\b(bounding box|location of|locations of|coordinates of"
    r"|where (?:is|are))\b"
)
_ALL = re.compile(r"\b(all|every|each|any)\b")
_RELATION = re.compile(
    r"\b(?:nearest|closest|largest|smallest|biggest|longest|leftmost|rightmost|topmost|northern\w*"
    r"|southern\w*|eastern\w*"
    r"|western\w*|next to|beside|left of|right of|above|below|between|in front of|behind|at the (?:top"
    r"|bottom|left|right|upper|lower"
    r"|cent\w+|corner|edge)|on the (?:top|bottom|left|right)|in the (?:top|bottom|left|right|upper"
    r"|lower|middle|cent\w+))\b"
)


def check_question(question: str) -> str:
    """The question with its white space collapsed. Raises UsageError when it is empty or too long."""
    text = " ".join(question.split())
    if not text:
        raise UsageError(
            'The question is empty. Ask one with -q, for example -q "How many airplanes are there?".'
        )
    if len(text) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(text):,} characters; up to {MAX_QUESTION:,} are allowed. Shorten it."
        )
    return text


def is_existence(question: str) -> bool:
    """True for a question that yes or no answers by whether something is there: "Are there any ships?"."""
    text = " ".join(question.lower().split())[:MAX_QUESTION]
    return bool(_EXISTENCE.search(text)) and not _COUNT.search(text)


def is_change(question: str) -> bool:
    """True for a question about what changed between dates: "Which buildings are new?" is not, by its words."""
    return bool(_CHANGE.search(" ".join(question.lower().split())[:MAX_QUESTION]))


def infer_task(question: str, n_images: int = 1) -> TaskGuess:
    """The task a question asks for, and why. n_images: how many dates of one place are looked at.

    What no rule knows is vqa. Raises UsageError as `check_question` does.
    """
    text = check_question(question).lower()
    if n_images > 1:
        if _CLASSIFY.search(text) and not _CHANGE.search(text):
            return TaskGuess(Task.CLASSIFY, "it asks for a class, over several dates")
        return TaskGuess(Task.CHANGE, f"there are {n_images} images of one place")
    if match := _COUNT.search(text):
        return TaskGuess(Task.COUNT, f'it asks "{match.group().strip()}"')
    if _BOX.search(text) and not _FIND.search(text):
        return TaskGuess(Task.REGION_CAPTION, "it asks about a box")
    if match := _EXISTENCE.search(text):
        return TaskGuess(Task.VQA, "it can be answered with yes or no")
    describe = _DESCRIBE.search(text)
    if describe and _WITH_BOXES.search(text):
        return TaskGuess(Task.GROUNDED_CAPTION, "it asks for a description with boxes")
    if match := _CLASSIFY.search(text):
        return TaskGuess(Task.CLASSIFY, f'it asks for a class ("{match.group().strip()}")')
    if describe:
        return TaskGuess(Task.CAPTION, f'it asks for a description ("{describe.group().strip()}")')
    if match := _FIND.search(text):
        return _find_task(text, match.group().strip())
    if re.match(r"(?:the|that|this)\b", text) and not text.endswith("?"):
        return TaskGuess(Task.GROUND, "it is a phrase that points at an object")
    return TaskGuess(Task.VQA, "no other task fits")


def _find_task(text: str, verb: str) -> TaskGuess:
    relation = _RELATION.search(text)
    if relation and not _ALL.search(text):
        return TaskGuess(Task.GROUND, f'it points at particular objects ("{relation.group()}")')
    phrase = _object_phrase(text)
    if _ALL.search(text) or not re.match(r"(?:the|a|an|this|that|one)\b", phrase):
        return TaskGuess(Task.DETECT, f'it asks to find every object of a kind ("{verb}")')
    words = phrase.split()
    if words[-1:] and words[-1].endswith("s") and not words[-1].endswith("ss") and len(words) <= 3:
        return TaskGuess(Task.DETECT, f'it asks to find every object of a kind ("{verb}")')
    return TaskGuess(Task.GROUND, f'it points at one object ("{phrase[:60]}")')


_OPENING = (
    re.compile(
        r"^.*?\b(?:how many|number of|amount of|total of|wie ?viele|combien (?:de|d')|cu[aá]nt[oa]s"
        r"|quantos|quante)\s*"
    ),
    re.compile(r"^.*?(?:多少|几)[架艘辆个座棵]?\s*"),
    re.compile(r"^(?:please\s+)?(?:find and\s+|detect and\s+|locate and\s+)?count\b\s*"),
    _EXISTENCE,
    re.compile(
        r"^(?:please\s+)?(?:can you\s+|could you\s+)?(?:(?:detect|find|locate|mark|outline|identify"
        r"|spot|segment|map|highlight"
        r"|label|list|box|show|point)(?: and |, )?)+(?:\s+(?:to|out|me|us|at))?\b\s*"
    ),
    re.compile(r"^(?:please\s+)?(?:draw|give|output|return|provide)\b.*?\b(?:of|around|for)\b\s*"),
    re.compile(r"^where\s+(?:is|are)\b\s*"),
    re.compile(r"^.*?\b(?:bounding box(?:es)?|locations?|coordinates) (?:of|for)\b\s*"),
)
_CLOSING = re.compile(
    r"\s+(?:(?:in|on|at|from|of) (?:the|this|each|every|both|all|these|my)\b|are|is|can|could|do|does"
    r"|there|visible|present"
    r"|appear|exist|parked|moored|docked|anchored|located|situated|lying|standing|near|nearby|beside"
    r"|next|within|inside|around|along|under|above|below|between"
    r"|behind|that|which|who|with|without|you|we|have|has|were|was|seen|here|by|close|left of|right of|to the"
    r"|in|on|at|across|over|and (?:count|give|mark|draw|return|list|tell|say|show|describe)|sind|gibt"
    r"|im|auf|y a|dans|sur|hay|en)\b.*$"
)
_MARKS = re.compile(r"</?(?:p|ref|box)>|<delim>|^\s*\[[\w -]{1,20}\](?:\s*\[[\w. -]{1,20}\])*")
"""GeoChat's and EarthDial's marks around a phrase, and task tags before a question."""
_FOREIGN = re.compile(r"\b(?:wie ?viele|combien|cu[aá]nt[oa]s|quantos|quante)\b|[^\x00-\u024f]")
"""Other languages: a noun that the tables do not know is dropped there, for no answer would ever match it."""
_AND = re.compile(r"\s*(?:,|;|/|\band\b|\bor\b|\bund\b|\boder\b|\bet\b|\by\b|&)\s*")
_NOTHING = {
    "object", "thing", "it", "them", "anything", "something", "item", "image", "picture", "scene",
    "instance", "feature", "everything", "there", "area", "place", "tile", "one", "count", "target",
}  # fmt: skip


def target_labels(question: str, task: Task | None = None) -> tuple[str, ...]:
    """Normalised labels of the objects asked for, in order; () when the question does not tell.

    "How many storage tanks are in the harbour?" -> ("storage tank",); "Are there any planes or ships?" ->
    ("airplane", "ship"). Captions, classes and open questions name no objects to look for: ().
    task: None means what `infer_task` says. Never raises.
    """
    text = " ".join(question.lower().split())[:MAX_QUESTION]
    if not text:
        return ()
    if task is None:
        task = infer_task(text).task
    if task in (Task.CAPTION, Task.REGION_CAPTION, Task.GROUNDED_CAPTION, Task.CLASSIFY):
        return ()
    if task in (Task.VQA, Task.CHANGE) and not (_COUNT.search(text) or _EXISTENCE.search(text)):
        return ()
    phrase = _object_phrase(_MARKS.sub(" ", text).strip())
    if not phrase or len(phrase) > 120:
        return ()
    labels = [normalise(part) for part in _AND.split(phrase)]
    if _FOREIGN.search(text):
        labels = [label for label in labels if label in KNOWN]
    return tuple(dict.fromkeys(label for label in labels if label and label not in _NOTHING))[:20]


def _object_phrase(text: str) -> str:
    """The noun phrase a question is about: what follows its opening, up to a place or a verb."""
    first = re.split(r"[?!\n]|\.\s|\.$|:\s", text, maxsplit=1)[0]
    for opening in _OPENING:
        match = opening.search(first)
        if match:
            rest = first[match.end() :]
            return _CLOSING.sub("", rest.strip()).strip(" \"'`.,")
    words = first.split()
    return _CLOSING.sub("", first).strip(" \"'`.,") if len(words) <= 4 else ""
