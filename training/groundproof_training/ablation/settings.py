"""How large an ablation is: budgets of every cell, from one TOML file. Frozen; unknown keys are refused.

Knows numbers and how they become a training configuration. Refuses to train.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from groundproof.version import __version__
from groundproof_training.ablation.cells import Cell
from groundproof_training.errors import TrainingError
from groundproof_training.packages import versions
from groundproof_training.tuning.configuration import Configuration, folder, read_configuration, resolved

Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]


TRAINERS = ("torch", "transformers", "trl")


def packages() -> dict[str, str]:
    """Versions of what trains; cells of one table have the same."""
    return {"groundproof": __version__, **versions(TRAINERS)}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Frozen):
    """Procedural scenes of 224 x 224 px, three questions each. sft_scenes, grpo_scenes: no scene is in both."""

    sft_scenes: Count
    grpo_scenes: Count


class SftSettings(_Frozen):
    """Budget of both SFT cells, with and without CoT. batch: samples a step."""

    steps: Count
    batch: Count
    learning_rate: Positive


class GrpoSettings(_Frozen):
    """Budget of all GRPO cells. prompts x k answers a step. beta: weight of the KL where there is one.
    faithfulness: weight of that reward where it is there. max_completion_tokens: longer answers teach nothing."""

    steps: Count
    prompts: Count
    k: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    beta: Positive
    faithfulness: Positive
    max_completion_tokens: Count


class EvaluationSettings(_Frozen):
    """scenes: the first so many of bench-v1. pictures: of each real set, 0 for none. draws: of the bootstrap."""

    scenes: Count
    pictures: Annotated[int, Field(ge=0)]
    draws: Count = 1000


class AblationSettings(_Frozen):
    """One ablation. configuration: the training configuration that cells are made from, by name or path."""

    configuration: str
    seeds: Count
    data: DataSettings
    sft: SftSettings
    grpo: GrpoSettings
    evaluation: EvaluationSettings


def read_settings(name_or_path: str) -> AblationSettings:
    """By name among those that come with the package, or by path where it ends in `.toml`. Raises TrainingError."""
    own = name_or_path.endswith(".toml")
    path = Path(name_or_path) if own else folder() / "ablation" / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in (folder() / "ablation").glob("*.toml")))
        raise TrainingError(
            f"there is no ablation {name_or_path!r}; those that come with the package are {known}, your own is the "
            "path of a .toml file"
        )
    try:
        return AblationSettings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as err:
        said = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in err.errors())
        raise TrainingError(f"{path}: {said}") from err
    except ValueError as err:
        raise TrainingError(f"{path} is not a TOML file: {err}") from err


def configuration_of(cell: Cell, seed: int, settings: AblationSettings) -> Configuration:
    """What `sft` or `grpo` is told for a cell: the same budget for all cells of a stage."""
    tree: dict[str, Any] = resolved(read_configuration(settings.configuration))
    tree["data"]["form"] = str(cell.form)
    tree["train"]["seed"] = seed
    sft, grpo = settings.sft, settings.grpo
    tree["sft"] |= {
        "batch": sft.batch,
        "per_device": sft.batch,
        "learning_rate": sft.learning_rate,
        "max_steps": sft.steps,
    }
    rewards = [{"name": "rsthinker", "weight": 1.0}, {"name": "format", "weight": 0.2}]
    if cell.faithful:
        rewards.append({"name": "faithfulness", "weight": grpo.faithfulness})
    answers = grpo.prompts * grpo.k
    tree["grpo"] |= {
        "prompts": grpo.prompts,
        "k": grpo.k,
        "per_device": answers if answers <= 16 else grpo.k,
        "beta": grpo.beta if cell.kl else 0.0,
        "allow_no_kl": not cell.kl,
        "learning_rate": grpo.learning_rate,
        "max_steps": grpo.steps,
        "max_completion_tokens": grpo.max_completion_tokens,
        "rewards": rewards,
    }
    tree["saving"] |= {"every": 20, "keep": 1, "log_every": 1}
    return Configuration.model_validate(tree)
