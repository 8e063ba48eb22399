"""A suite as its file writes it: entries, where their data is looked for, what was published about them.

Knows readers' names and options, which are checked when a suite is loaded. Refuses to open data.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.results import Published
from groundproof_training.readers.base import Options
from groundproof_training.readers.registry import reader

SUITES = ("rsthinker", "geovlm-r1")
"""Those that come with the package; "all" is all of them."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceConfig(_Frozen):
    """One way to read an entry. folders: names below --data that are tried, whatever their case, blanks, dashes and
    underscores; "." is --data itself. split: "any" takes test, else val, else train, whichever the reader finds. tasks,
    types: only samples of these (`Sample.meta` has the type); empty: all. as_task, choices: what the samples are asked
    as where the reader's tags say less than the benchmark does. published_prompt: in place of the entry's, where this
    source's questions hold more or less of the wording. options: of the reader."""

    reader: str
    folders: tuple[str, ...] = Field(min_length=1)
    split: Literal["train", "val", "test", "any"] = "test"
    tasks: tuple[Task, ...] = ()
    types: tuple[str, ...] = ()
    as_task: Task | None = None
    choices: tuple[str, ...] = ()
    published_prompt: str = ""
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def reader_options(self) -> Options:
        """Checked when the suite was loaded."""
        return reader(self.reader).options.model_validate(self.options)

    @model_validator(mode="after")
    def _reader_takes_it(self) -> Self:
        one = reader(self.reader)
        one.options.model_validate(self.options)
        if self.split != "any" and self.split not in one.card.splits:
            raise ValueError(f"the reader {self.reader} has the splits {', '.join(one.card.splits)}")
        return self


class PublishedRow(_Frozen):
    """See `results.Published`."""

    system: str
    metric: str
    value: float
    source: str
    note: str = ""

    @property
    def row(self) -> Published:
        """For the report."""
        return Published(self.system, self.metric, self.value, self.source, self.note)


class EntryConfig(_Frozen):
    """One benchmark. source: ways to read it, the first whose folder is there is taken. published_prompt: the user text
    as published, with {question}, {referred} (the question with its phrase in <ref> tags), {objects} (names asked for,
    joined by "and") and {labels} open; "" where it is not known. published_samples: what the published numbers rest
    on. listed_again: where the suite's authors list the same task another time. verified: where the entry's facts come
    from, and what could not be checked."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str
    family: Family
    source: tuple[SourceConfig, ...] = Field(min_length=1)
    published_prompt: str = ""
    published_samples: str = ""
    published: tuple[PublishedRow, ...] = ()
    note: str = ""
    listed_again: str = ""
    verified: str = ""


class SuiteConfig(_Frozen):
    """Entries under one name. source: of the list."""

    name: str
    title: str
    source: str = ""
    entry: tuple[EntryConfig, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.entry]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the entry {twice[0]} is there twice")
        return self

    def only(self, names: tuple[str, ...]) -> SuiteConfig:
        """Those entries; empty: all. Raises TrainingError for a name that is none."""
        unknown = [name for name in names if name not in {one.name for one in self.entry}]
        if unknown:
            known = ", ".join(one.name for one in self.entry)
            raise TrainingError(f"the suite {self.name} has no entry {unknown[0]!r}; it has {known}")
        return self.model_copy(update={"entry": tuple(e for e in self.entry if not names or e.name in names)})


def load_suite(suite: str | Path) -> SuiteConfig:
    """A suite of the package by its name, "all" of them, or a TOML file of your own. Raises TrainingError."""
    if str(suite) == "all":
        parts = [load_suite(name) for name in SUITES]
        return SuiteConfig(
            name="all",
            title=" and ".join(part.title for part in parts),
            source="; ".join(part.source for part in parts),
            entry=tuple(entry for part in parts for entry in part.entry),
        )
    if str(suite) in SUITES:
        text, where = files(__package__).joinpath(f"{suite}.toml").read_text(encoding="utf-8"), str(suite)
    else:
        path = Path(suite)
        if path.suffix != ".toml" or not path.is_file():
            raise TrainingError(
                f"there is no suite {str(suite)!r}; there is {', '.join(SUITES)}, all, local and bench-v1, or give the "
                "path of a .toml file"
            )
        text, where = path.read_text(encoding="utf-8"), str(path)
    try:
        return SuiteConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as err:
        raise TrainingError(f"the suite {where} is no TOML: {err}") from err
    except ValidationError as err:
        first = err.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise TrainingError(f"the suite {where}: {at or 'the file'}: {first['msg']}") from err
