"""A model on a machine of a Ray cluster, for whoever plans and puts together where there is no such machine.

Knows how requests and answers travel. Refuses to know runs: tiles by the thousand are asked where the model is
(`ray_data.py`); this is for what a model is, and for the few questions after the tiles.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from groundproof.errors import GroundproofError, ModelError
from groundproof.models.base import Piece, Request, VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.models.profiles import Profile
from groundproof.models.resolve import resolve
from groundproof.runners.ray_cluster import connected, share

MOST_TOGETHER = 16
"""Requests that travel together where the model does not mind: 38 MB at 896 px, within the object store."""


@dataclass(frozen=True, slots=True)
class _Facts:
    profile: Profile
    identity: str
    max_in_flight: int
    constrains: bool
    continuous: bool


class RayModel:
    """Implements `VisionLanguageModel` by a process on the cluster, started when first needed. A context manager.

    `release` lets go of that process, and of its GPU, before a job's workers come; the next question starts another.
    The connection to Ray lasts until `close`, and a job meanwhile uses it too. Answers come in whole batches.
    gpus, address, opener: as for `run_on_ray`.
    """

    def __init__(
        self,
        model: str,
        *,
        address: str | None = None,
        workers: int | None = None,
        gpus: float | None = None,
        opener: Callable[[str], VisionLanguageModel] = open_model,
    ) -> None:
        self._name = model
        self._address = address
        self._workers = workers
        self._gpus = gpus
        self._opener = opener
        self._stack = ExitStack()
        self._ray: Any = None
        self._holder: Any = None
        self._known: _Facts | None = None

    def __enter__(self) -> RayModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def profile(self) -> Profile:
        """Known without starting anything where the model's folder is in reach."""
        if self._known is None and self._opener is open_model:
            return resolve(self._name).profile
        return self._facts.profile

    @property
    def identity(self) -> str:
        """See `VisionLanguageModel`. Raises ModelError, as the others do."""
        return self._facts.identity

    @property
    def max_in_flight(self) -> int:
        """See `VisionLanguageModel`."""
        return self._facts.max_in_flight

    @property
    def constrains(self) -> bool:
        """See `VisionLanguageModel`."""
        return self._facts.constrains

    @property
    def continuous(self) -> bool:
        """See `VisionLanguageModel`."""
        return self._facts.continuous

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """See `VisionLanguageModel`. Raises ModelError, also when the process is lost."""
        source = iter(requests)
        together = min(self.max_in_flight, MOST_TOGETHER) if self.continuous else self.max_in_flight
        while batch := list(islice(source, together)):
            yield from cast("list[Piece]", self._ask("answer", batch))

    def release(self) -> None:
        """Let go of the process that holds the model."""
        if self._holder is not None:
            self._ray.kill(self._holder)
            self._holder = None

    def close(self) -> None:
        """Let go of the process and of Ray."""
        self.release()
        self._stack.close()
        self._ray = None

    @property
    def _facts(self) -> _Facts:
        if self._known is None:
            self._known = cast("_Facts", self._ask("facts"))
        return self._known

    def _ask(self, what: str, *words: Any) -> Any:
        if self._holder is None:
            self._holder = self._started()
        try:
            return self._ray.get(getattr(self._holder, what).remote(*words))
        except self._ray.exceptions.RayTaskError as err:
            if isinstance(err.cause, GroundproofError):
                raise err.cause from err
            raise
        except self._ray.exceptions.RayError as err:
            self._holder = None
            raise ModelError(
                f"The process that held {self._name} on the cluster is lost: {str(err).splitlines()[0]}. What was "
                "answered is kept; resume to go on."
            ) from err

    def _started(self) -> Any:
        if self._ray is None:
            self._ray = self._stack.enter_context(connected(self._address, self._workers))
        in_process = self._opener is not open_model or resolve(self._name).engine != "openai"
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        given = share(nodes, self._workers, in_process=in_process, gpus=self._gpus)
        holder = self._ray.remote(num_cpus=given.cpus, num_gpus=given.gpus)(_Holder)
        return holder.remote(self._name, str(Path.cwd()), self._opener)


class _Holder:
    """The process on the cluster. Opens the model with the first call, whose errors arrive whole."""

    def __init__(self, name: str, folder: str, opener: Callable[[str], VisionLanguageModel]) -> None:
        if Path(folder).is_dir():
            os.chdir(folder)
        self._name = name
        self._opener = opener
        self._model: VisionLanguageModel | None = None

    def facts(self) -> _Facts:
        model = self._opened()
        return _Facts(model.profile, model.identity, model.max_in_flight, model.constrains, model.continuous)

    def answer(self, requests: list[Request]) -> list[Piece]:
        return list(self._opened().generate(requests))

    def _opened(self) -> VisionLanguageModel:
        if self._model is None:
            self._model = self._opener(self._name)
        return self._model
