"""What is known of one model family: its prompt, box frame, sizes, decoding, licence.

Knows no weights, no files and no network. A profile is data; adapters and prompts read it, and nothing in it
can run code: there is no key for that, and unknown keys are refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from groundproof.boxes import BoxFrame
from groundproof.protocol.tasks import Task

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
"""What a prompt text may leave open; other braces are text, as in GeoChat's `{<8><82><16><90>}`."""
PLACEHOLDERS = ("question", "objects", "labels")

Count = Annotated[int, Field(gt=0)]
Way = Literal["transformers", "vllm", "server"]


class PromptTexts(BaseModel):
    """Words of a family's own, in place of those of its prompt style. Frozen; unknown keys are refused.

    In a task's text `{question}` is the question, `{objects}` the names of what is asked for, in the plural
    and joined by "and" (the question where it names none), `{labels}` the names divided by commas. A line
    with `{labels}` is left out where there are no names: no list of classes, no sentence about one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str | None = None
    """The system text; None: that of the prompt style."""
    task: dict[Task, str] = Field(default_factory=dict)
    """The user text by task; tasks that are not here get that of the prompt style."""

    @field_validator("task")
    @classmethod
    def _known_placeholders(cls, texts: dict[Task, str]) -> dict[Task, str]:
        for task, text in texts.items():
            unknown = [name for name in PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
            if unknown:
                allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                raise ValueError(
                    f"the text of {task} has the placeholder {{{unknown[0]}}}; allowed: {allowed}"
                )
        return texts


class Profile(BaseModel):
    """One model family. Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    """One line for `groundproof models`."""
    licence: str
    """Of the weights, in words; says so where it is not known."""
    source: str
    """Where the weights come from: "embedded", or a hub id for people with a network."""
    prompt_style: Literal["native", "plain", "instructed"]
    """"native": trained on this project's protocol (task tag and question only); "plain": trained on questions
    as people ask them; "instructed": the protocol is explained in the system text."""
    prompt: PromptTexts = PromptTexts()
    answer_form: Literal["geo-cot", "think", "own"] = "geo-cot"
    """What the model writes. "geo-cot": the protocol's tags; "think": free prose in `<think>`, then `<answer>`;
    "own": a notation of its family without either, which no grammar of ours may constrain."""
    frame: BoxFrame
    patch_merge_px: Count
    """Tile sides are multiples of this: patch x merge, or the side of the only square the family takes."""
    tile_px: Count
    """Default side of a tile as the model sees it."""
    overlap_px: int = Field(ge=0)
    """Default overlap of neighbouring tiles, as the model sees it."""
    gsd_m: tuple[float, float] | None = None
    """Range of ground sampling distances it was trained on; None: any."""
    labels: tuple[str, ...] | None = None
    """Normalised labels it was trained to find; None: open vocabulary. Asking for others is said aloud."""
    tasks: tuple[Task, ...] | None = None
    """Tasks it was trained for; None: all."""
    max_new_tokens: Count = 2048
    repetition_penalty: float = Field(default=1.0, gt=0)
    temperature: float = Field(default=0.0, ge=0)
    """0: greedy, the only reproducible choice. In-process transformers decodes greedily only."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    ways: tuple[Way, ...] = ("transformers", "vllm", "server")
    """How it can be run: in process with transformers, in process with vLLM, behind an OpenAI-compatible
    server. A family whose own code would have to run in our process has "server" alone."""
    serving: str | None = None
    """What serving it takes, where that is more than a folder of weights."""
    caution: str | None = None
    """What a person must know before using an answer; shown with every one."""
    weights_run: bool = False
    """True when this project has run weights of this family at their real size. False: only the loading
    and decoding code has run, with small weights of the same architecture. `groundproof models` says which."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.tile_px % self.patch_merge_px:
            raise ValueError(
                f"tile_px ({self.tile_px}) must be a multiple of patch_merge_px ({self.patch_merge_px})"
            )
        if self.overlap_px >= self.tile_px:
            raise ValueError(f"overlap_px ({self.overlap_px}) must be smaller than tile_px ({self.tile_px})")
        return self
