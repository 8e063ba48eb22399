"""What a dataset is composed of: rows, one a TOML table, each a part of a public dataset.

Knows the configuration. Refuses to open datasets.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Split

Use = Literal["sft", "rl", "audit"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Frozen):
    """How a file's name tells the original it was cut from. family: originals of one family are compared. pattern: a
    regular expression, whose first group is the original's name."""

    family: str
    pattern: str


class Row(_Frozen):
    """One part. name: unique. reader, folder: the folder is relative to the data root. splits: those of the dataset
    that go in. tasks: only these; empty: all. options: of the reader. use: "sft" gets rationales, "rl" goes into the
    data of GRPO as it is, "audit" is a test set, which is only looked at. limit: at most so many samples. official:
    how many samples the official split gives, by its authors; published: how many the published build says it has of
    it; None: not known. note: on the difference. how: where the files come from, beside what the reader knows."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    reader: str
    folder: str
    splits: tuple[Split, ...] = ("train",)
    tasks: tuple[Task, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    use: Use = "sft"
    limit: int | None = Field(None, gt=0)
    official: int | None = None
    published: int | None = None
    note: str = ""
    how: str = ""
    origin: Origin | None = None


class Composition(_Frozen):
    """The whole. published_total: of the published build. val_share: of the pictures of "sft" and "rl" rows, how many
    are held out; all samples of a picture go together. seed: of that choice."""

    title: str
    about: str = ""
    published_total: int | None = None
    val_share: float = Field(0.01, ge=0, lt=1)
    seed: int = 0
    rows: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [row.name for row in self.rows]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rows are called {twice[0]!r}")
        return self


def shipped() -> list[str]:
    """Names of the compositions that come with the package."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def _folder() -> Path:
    return Path(str(resources.files("groundproof_training"))) / "configurations" / "data"


def load_composition(name_or_path: str) -> Composition:
    """One that comes with the package by its name, or a file. Raises TrainingError."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = _folder() / f"{name_or_path}.toml"
        if not path.is_file():
            raise TrainingError(
                f"there is no composition {name_or_path!r}; there is {', '.join(shipped())}, or give a .toml file."
            )
    try:
        return Composition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as err:
        raise TrainingError(f"{path} cannot be read: {err.strerror or err}.") from err
    except ValidationError as err:
        first = err.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise TrainingError(f"{path}: {at}: {first['msg']} (got {str(first['input'])[:80]!r}).") from err
    except ValueError as err:
        raise TrainingError(f"{path} is not a TOML file: {err}.") from err
