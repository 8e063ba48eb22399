"""The protocol: tasks, versioned prompts, the tag grammar, how boxes are written.

Knows what a question asks for and what text a model is given and should give back. Refuses to know models
(a profile is data) and what came back (that is `groundproof.trace`).
"""

from groundproof.protocol.grammar import (
    Finding,
    count_synthesis,
    count_trace,
    detect_answer,
    format_box,
    format_trace,
    place_words,
    quantise_per_mille,
)
from groundproof.protocol.prompts import PROMPT_VERSION, Prompt, render, render_second_look
from groundproof.protocol.tasks import (
    MAX_QUESTION,
    Task,
    TaskGuess,
    check_question,
    infer_task,
    is_change,
    is_existence,
    target_labels,
)

__all__ = [
    "MAX_QUESTION",
    "PROMPT_VERSION",
    "Finding",
    "Prompt",
    "Task",
    "TaskGuess",
    "check_question",
    "count_synthesis",
    "count_trace",
    "detect_answer",
    "format_box",
    "format_trace",
    "infer_task",
    "is_change",
    "is_existence",
    "place_words",
    "quantise_per_mille",
    "render",
    "render_second_look",
    "target_labels",
]
