"""How a Geo-CoT text is written: tags, evidence sentences, boxes in each frame.

Knows how to write the canonical text, character for character; training targets and prompts use these
functions. Refuses to know how to read it: models write much more than this, see `groundproof.trace`.

The canonical text of a count:

    <think><plan>Scan the tile row by row for airplanes.</plan><evidence>E1 airplane, upper left
    [120,80,200,160]. </evidence><synthesis>E1 is an airplane, 1 in all.</synthesis></think><answer>1</answer>
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.labels import plural, with_article

MAX_PER_MILLE = 999
"""Largest coordinate written in the per-mille frame. 1000 would be the only number of four digits, and
GLM's tokenizer (like the embedded model's) has one token for each number of up to three."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object to write as evidence. label: normalised, singular. place: "upper left", may be empty."""

    label: str
    box: ModelBox
    place: str = ""


def format_number(value: float) -> str:
    """Shortest decimal text that reads back as the same float; whole numbers without a point.

    Twenty decimals at most: what is smaller than that is 0.
    """
    if value == int(value):
        return str(int(value))
    text = repr(float(value))
    return f"{value:.20f}".rstrip("0").rstrip(".") if "e" in text else text


def format_box(box: ModelBox, frame: BoxFrame) -> str:
    """The box as text in its frame; `groundproof.trace` reads the same numbers back.

    Per-mille and resized pixels: `[x0,y0,x1,y1]`, x to the right, y down, no spaces; with an angle
    `[x0,y0,x1,y1,angle]`. Percent with angle: GeoChat's `{<x0><y0><x1><y1>|<angle>}` (Kuckreja et al., CVPR
    2024); no angle, no `|` part.
    Raises ValueError for an angle in a frame that has none.
    """
    numbers = [format_number(v) for v in (box.x0, box.y0, box.x1, box.y1)]
    if frame is BoxFrame.PERCENT_ANGLE:
        angle = "" if box.angle_deg is None else f"|<{format_number(box.angle_deg)}>"
        return "{" + "".join(f"<{n}>" for n in numbers) + angle + "}"
    if box.angle_deg is not None:
        if not frame.has_angle:
            raise ValueError(f"the {frame} frame has no angle, got {box.angle_deg} degrees")
        numbers.append(format_number(box.angle_deg))
    return f"[{','.join(numbers)}]"


def quantise_per_mille(x0: float, y0: float, x1: float, y1: float, width: float, height: float) -> ModelBox:
    """Pixels of an image of width x height to a whole-numbered per-mille box inside 0..999.

    Rounds to nearest, then keeps every side at least 1 long, so that a tiny object stays a box. Raises
    ValueError for an image without size.
    """
    if width <= 0 or height <= 0:
        raise ValueError(f"an image needs a size, got {width} x {height}")
    left, right = _quantise_side(x0, x1, width)
    top, bottom = _quantise_side(y0, y1, height)
    return ModelBox(left, top, right, bottom)


def _quantise_side(low: float, high: float, size: float) -> tuple[int, int]:
    low, high = min(low, high), max(low, high)
    first = min(max(round(low * 1000 / size), 0), MAX_PER_MILLE - 1)
    last = min(max(round(high * 1000 / size), first + 1), MAX_PER_MILLE)
    return first, last


def place_words(box: ModelBox, frame: BoxFrame, size: tuple[float, float] | None = None) -> str:
    """Where the box's centre lies, in thirds: "upper left", "centre", "right".

    size: (width, height) of the frame; needed only where the frame has no fixed size (resized pixels).
    """
    fixed = frame.full_scale
    if fixed is None and size is None:
        raise ValueError("boxes in resized pixels need the size of the resized image")
    width, height = size if size is not None else (fixed or 1.0, fixed or 1.0)
    x, y = (box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height
    column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    row = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    if row and not column:
        return "top" if row == "upper" else "bottom"
    return f"{row} {column}".strip() or "centre"


def evidence_text(findings: Iterable[Finding], frame: BoxFrame, labels: Sequence[str] = ()) -> str:
    """`E1 airplane, upper left [120,80,200,160]. ` for each; without any, `No airplane is visible. `."""
    parts = []
    for number, finding in enumerate(findings, start=1):
        place = f", {finding.place}" if finding.place else ""
        parts.append(f"E{number} {finding.label}{place} {format_box(finding.box, frame)}. ")
    if parts:
        return "".join(parts)
    return f"No {' or '.join(labels) or 'object'} is visible. "


def count_synthesis(findings: Sequence[Finding]) -> str:
    """`E1 to E2 are airplanes, 2 in all.`, several labels divided by semicolons."""
    if not findings:
        return "Nothing to count."
    parts = []
    for label in dict.fromkeys(f.label for f in findings):
        numbers = [n for n, f in enumerate(findings, start=1) if f.label == label]
        names = _number_names(numbers)
        if len(numbers) == 1:
            parts.append(f"{names} is {with_article(label)}, 1 in all")
        else:
            parts.append(f"{names} are {plural(label)}, {len(numbers)} in all")
    return "; ".join(parts) + "."


def _number_names(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"E{numbers[0]}"
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"E{numbers[0]} to E{numbers[-1]}"
    return ", ".join(f"E{n}" for n in numbers[:-1]) + f" and E{numbers[-1]}"


def detect_answer(boxes: Iterable[ModelBox], frame: BoxFrame) -> str:
    """The answer to detect and ground: `[[x0,y0,x1,y1],[...]]`, `[]` when there is none."""
    texts = [format_box(box, frame) for box in boxes]
    return "".join(texts) or "[]" if frame is BoxFrame.PERCENT_ANGLE else f"[{','.join(texts)}]"


def format_trace(plan: str, evidence: str, synthesis: str, answer: str) -> str:
    """The whole Geo-CoT text from its four parts; the parts hold no tags. Raises ValueError if one does."""
    for part in (plan, evidence, synthesis, answer):
        if any(f"<{slash}{tag}>" in part for tag in TAGS for slash in ("", "/")):
            raise ValueError(f"a part of a trace holds a tag of the protocol: {part[:80]!r}")
    return (
        f"<think><plan>{plan}</plan><evidence>{evidence}</evidence><synthesis>{synthesis}</synthesis></think>"
        f"<answer>{answer}</answer>"
    )


def count_trace(plan: str, findings: Sequence[Finding], frame: BoxFrame, labels: Sequence[str]) -> str:
    """The canonical text of a count of `labels` whose objects are `findings`."""
    evidence = evidence_text(findings, frame, labels)
    return format_trace(plan, evidence, count_synthesis(findings), str(len(findings)))


TAGS = ("think", "plan", "evidence", "synthesis", "answer")
"""Names of the protocol's tags, as written between angle brackets."""
