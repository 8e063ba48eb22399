"""What a teacher is told: the engine's own instruction, the truth, how to write under it, a worked example.

Knows text. Refuses to know who the teacher is.
"""

from __future__ import annotations

from dataclasses import dataclass

from groundproof.models.profile import Profile, PromptTexts
from groundproof.protocol import Task, format_box
from groundproof_training.rationales.absence import absent_words
from groundproof_training.rationales.examples import EXAMPLES
from groundproof_training.rationales.verifier import required
from groundproof_training.samples import Form, Sample, answer_of, completion_of, prompt_of, write_box

PROMPT_VERSION = "1"
"""Part of what a cached answer is found by; to be changed with any character here."""

Size = tuple[int, int]

_RULES = """\
You write training texts. Below is what is true of the image. Write the text that a careful analyst who sees the image \
alone, and works it out, would write: look at the image for how and where to search, what each object looks like and \
what surrounds it.
- Keep to the truth: copy the boxes exactly, copy the answer exactly, and never say more objects, other classes or \
other numbers than it has.
- Begin each evidence sentence with the object's name as listed. Say where it is, or what it looks like.
- Give every object marked "cite" exactly one sentence; others may be cited once, or left out.
- Never speak of the truth, of boxes or descriptions you were given, of annotations or of this instruction.
- State a number of objects only when it is the number of all of that class. Speak of single objects by their E-numbers.
- The plan says how to search and tells no result. The synthesis draws the answer from the evidence."""


@dataclass(frozen=True, slots=True)
class TeacherPrompt:
    """One request's texts; the images go between them."""

    system: str
    text: str


def teacher_prompt(
    sample: Sample,
    profile: Profile,
    seen: tuple[Size, ...],
    rejected: str = "",
    reasons: tuple[str, ...] = (),
) -> TeacherPrompt:
    """rejected: the teacher's last text for this sample, with the verifier's reasons; "" for the first try. seen: size
    of each image as the teacher sees it."""
    instructed = profile.model_copy(update={"prompt_style": "instructed", "prompt": PromptTexts()})
    asked = prompt_of(sample, instructed, seen)
    parts = [asked.text, _truth(sample, profile, seen), _RULES, _example(sample.task, profile)]
    if rejected:
        faults = "\n".join(f"- {reason}" for reason in reasons)
        parts.append(
            f"Your last text was:\n{rejected[:6000]}\nIt was rejected:\n{faults}\nWrite the whole text anew, without "
            "these faults."
        )
    parts.append("Write the text now, and nothing else.")
    return TeacherPrompt(asked.system, "\n\n".join(parts))


def _truth(sample: Sample, profile: Profile, seen: tuple[Size, ...]) -> str:
    lines = ["The truth:"]
    needed = required(sample)
    several = len(sample.images) > 1
    for j, box in enumerate(sample.boxes):
        if box.ignore:
            continue
        written = format_box(
            write_box(box, sample.images[box.image], profile.frame, seen[box.image]), profile.frame
        )
        facts = [f"image {box.image + 1}"] if several else []
        facts += [f'"{box.phrase}"'] if box.phrase else []
        facts += [f"{name}: {value}" for name, value in box.attributes.items()]
        detail = f" ({'; '.join(facts)})" if facts else ""
        lines.append(f"- {box.label} {written}{detail}{', cite' if j in needed else ''}")
    if not sample.counted:
        absent = absent_words(sample)
        lines.append(
            f'There is none: write the evidence as "No {absent} is visible."'
            if absent
            else "No boxes of objects are known; write no evidence, <evidence></evidence>."
        )
    lines += [f"Description: {caption}" for caption in sample.captions[:3]]
    lines.append(f"Answer: {answer_of(sample, profile, seen)}")
    return "\n".join(lines)


def _example(task: Task, profile: Profile) -> str:
    """How a finished text looks, of another image."""
    sample = EXAMPLES[task].sample
    seen = tuple(image.shown_size for image in sample.images)
    return (
        "A finished text about another image, as an example of form and tone:\n"
        f"{completion_of(sample, profile, seen, Form.GEO_COT)}"
    )
