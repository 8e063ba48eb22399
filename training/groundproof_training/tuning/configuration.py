"""Everything a run of SFT or GRPO is told, read from one TOML file. Frozen; unknown keys are refused.

Knows names, numbers and which go together. Refuses to load models or data. Values that no paper publishes are marked
as ours in the TOML files that come with the package.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.rewards.registry import checked
from groundproof_training.samples import Form

Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Schedule = Literal["constant", "constant_with_warmup", "linear", "cosine"]

EMBEDDED = "embedded"
"""`model.source` of the weights that come with the engine."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelConfig(_Frozen):
    """What is trained. source: "embedded", a folder, or a hub id; `--model` on the command line replaces it.

    profile: how it is asked (`groundproof models`); None: what its folder says. end_token: ends a completion; must be
    one token. architecture: a configuration beside the TOML files for dry runs without weights; None: the folder's.
    """

    source: str
    profile: str | None = None
    end_token: str
    architecture: str | None = None


class DataConfig(_Frozen):
    """What of a sample is shown. min_pixels, max_pixels: area of an image as the model sees it. max_tokens: prompt,
    images and completion together; longer samples are left out, never cut. workers: processes that load images.
    expected: samples that a dry run without data reckons with."""

    form: Form
    min_pixels: Count
    max_pixels: Count
    max_tokens: Count
    workers: int = Field(0, ge=0)
    expected: Count = 10_000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_pixels > self.max_pixels:
            raise ValueError(f"min_pixels {self.min_pixels} is more than max_pixels {self.max_pixels}")
        return self


class LoraSettings(_Frozen):
    """Adapters on every linear layer of the language model; the vision tower and the output layer have none."""

    r: Count
    alpha: Count
    dropout: Share = 0.0


class TrainConfig(_Frozen):
    """What learns, and in which numbers. lora: None trains all weights of the language model. vision: "frozen" or
    "trained". precision: of the computation; weights that learn stay float32 in both."""

    lora: LoraSettings | None = None
    vision: Literal["frozen", "trained"]
    precision: Literal["float32", "bfloat16"]
    gradient_checkpointing: bool
    seed: int = 0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.lora is not None and self.vision == "trained":
            raise ValueError("vision = trained goes with full training only: adapters leave the tower alone")
        return self


class OptimiserConfig(_Frozen):
    """AdamW and its schedule. warmup: share of the steps. max_steps: ends a run before its epochs do."""

    learning_rate: Positive
    schedule: Schedule = "cosine"
    warmup: Share = 0.03
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: Positive = 1.0
    epochs: Positive = 1.0
    max_steps: Count | None = None


class SftConfig(OptimiserConfig):
    """batch: samples per step over all devices; per_device: of them at once on one."""

    batch: Count
    per_device: Count


class VllmConfig(_Frozen):
    """Rollouts by vLLM on a GPU; TRL 1.16 takes vLLM 0.22 to 0.31. mode "colocate" shares the GPU with training, in
    its `memory` share; "server" asks `trl vllm-serve` at server_url."""

    mode: Literal["colocate", "server"] = "colocate"
    memory: Share = 0.3
    max_model_length: Count | None = None
    tensor_parallel: Count = 1
    sleep: bool = True
    server_url: str | None = None

    @model_validator(mode="after")
    def _has_its_server(self) -> Self:
        if self.mode == "server" and not self.server_url:
            raise ValueError('mode = "server" needs server_url, such as "http://127.0.0.1:8000"')
        return self


class Reward(_Frozen):
    """A reward by its name in `groundproof_training.rewards`, its weight in the sum, and its settings there."""

    name: str
    weight: float = Field(1.0, allow_inf_nan=False)
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            checked(self.name, self.settings)
        except TrainingError as err:
            raise ValueError(str(err)) from err
        return self


class GrpoConfig(OptimiserConfig):
    """k: answers per prompt. prompts: different prompts per step over all devices; per_device: answers at once on one
    in the backward pass. beta: weight of the KL to the model that the run begins with. tasks: "mixed", or the tasks
    one after another. vllm: None generates with transformers."""

    k: Annotated[int, Field(ge=2)]
    prompts: Count
    per_device: Count
    beta: float = Field(ge=0)
    allow_no_kl: bool = False
    epsilon: Positive = 0.2
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "grpo"
    scale_rewards: Literal["group", "batch", "none"] = "group"
    temperature: Positive = 1.0
    top_p: float = Field(1.0, gt=0, le=1)
    max_completion_tokens: Count
    mask_truncated: bool = True
    rewards: tuple[Reward, ...] = Field(min_length=1)
    tasks: Literal["mixed"] | tuple[Task, ...] = "mixed"
    vllm: VllmConfig | None = None

    @model_validator(mode="after")
    def _keeps_to_its_reference(self) -> Self:
        if self.beta == 0 and not self.allow_no_kl:
            raise ValueError(
                "beta = 0 trains without the KL to the SFT checkpoint, under which RSThinker's format collapsed "
                "(its figure 4); give beta > 0, or allow_no_kl = true if that is what you study"
            )
        if self.prompts * self.k % self.per_device:
            raise ValueError(
                f"prompts x k = {self.prompts * self.k} answers per step must be a multiple of per_device = "
                f"{self.per_device}"
            )
        return self


class SavingConfig(_Frozen):
    """every: steps between checkpoints. keep: how many stay. dtype: of the weights in the finished folder (small
    steps vanish in bfloat16's eight bits: float32 where they must not)."""

    every: Count = 500
    keep: Count = 2
    log_every: Count = 10
    dtype: Literal["bfloat16", "float32"] = "bfloat16"


class HardwareConfig(_Frozen):
    """One device, for the estimates of a dry run only. tflops: dense peak in the precision trained in; efficiency:
    the share of it that training reaches; bandwidth_gb_s: of its memory, which bounds generation."""

    name: str
    devices: Count
    memory_gb: Positive
    tflops: Positive
    efficiency: Share
    bandwidth_gb_s: Positive


class Configuration(_Frozen):
    """One recipe."""

    model: ModelConfig
    data: DataConfig
    train: TrainConfig
    sft: SftConfig
    grpo: GrpoConfig
    saving: SavingConfig = SavingConfig()
    hardware: HardwareConfig


def folder() -> Path:
    """Where the configurations that come with the package lie."""
    return Path(str(resources.files("groundproof_training"))) / "configurations"


def names() -> list[str]:
    """Of the configurations that come with the package."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def read_configuration(name_or_path: str) -> Configuration:
    """By name, or by path where it ends in `.toml`. Raises TrainingError with the field and what is allowed."""
    path = Path(name_or_path) if name_or_path.endswith(".toml") else folder() / f"{name_or_path}.toml"
    if not name_or_path.endswith(".toml") and name_or_path not in names():
        raise TrainingError(
            f"there is no configuration {name_or_path!r}; those that come with the package are "
            f"{', '.join(names())}, your own is the path of a .toml file"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise TrainingError(f"the configuration {path} cannot be read: {err.strerror or err}") from err
    except ValueError as err:
        raise TrainingError(f"{path} is not a TOML file: {err}") from err
    try:
        return Configuration.model_validate(content)
    except ValidationError as err:
        raise TrainingError(f"{path}: {_sentences(err)}") from err


def _sentences(err: ValidationError) -> str:
    said = []
    for fault in err.errors():
        place = ".".join(str(part) for part in fault["loc"])
        got = (
            ""
            if fault["type"] == "missing" or isinstance(fault["input"], dict)
            else f" (got {fault['input']!r})"
        )
        said.append(f"{place}: {fault['msg'].removeprefix('Value error, ')}{got}")
    return "; ".join(said)


def resolved(cfg: Configuration) -> dict[str, Any]:
    """The whole tree as TOML can hold it (no None)."""
    return cfg.model_dump(mode="json", exclude_none=True)
