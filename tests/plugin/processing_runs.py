"""Processing with groundproof's provider, for tests: one engine for all of them, as the desktop has one."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)

from groundproof_qgis.engine.local import READY, LocalEngine
from groundproof_qgis.engine.settings import EngineSettings
from groundproof_qgis.processing.provider import GroundproofProvider
from tests.plugin.engine_waiting import until
from tests.plugin.results import ENGINE, need_engine

ANSWER_S = 120.0


def need_processing() -> None:
    """QGIS's own algorithms and `processing.run`."""
    plugins = str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins")
    if plugins not in sys.path:
        sys.path.append(plugins)
    from processing.core.Processing import Processing

    Processing.initialize()


@contextmanager
def desktop() -> Iterator[GroundproofProvider]:
    """The provider, registered, with an engine that runs as the dock's does."""
    need_engine()
    need_processing()
    with tempfile.TemporaryDirectory(prefix="groundproof-processing-") as folder:
        engine = LocalEngine(Path(folder), lambda: EngineSettings(command=str(ENGINE)))
        provider = GroundproofProvider()
        provider.serve_from(engine, None)
        registry = QgsApplication.processingRegistry()
        assert registry.addProvider(provider)
        engine.start()
        until(lambda: engine.state == READY, ANSWER_S)
        try:
            yield provider
        finally:
            registry.removeProvider(provider)
            engine.shut_down()


class Feedback(QgsProcessingFeedback):
    """Keeps what is said, by kind; cancels when `cancel_at` percent are reached."""

    def __init__(self, cancel_at: float | None = None) -> None:
        super().__init__(False)
        self.said: list[str] = []
        self.warned: list[str] = []
        self.errors: list[str] = []
        self.percent: list[float] = []
        if cancel_at is not None:
            self.progressChanged.connect(lambda percent: percent >= cancel_at and self.cancel())
        self.progressChanged.connect(self.percent.append)

    def pushInfo(self, info: str) -> None:  # noqa: N802 - QGIS's name
        self.said.append(info)

    def pushWarning(self, warning: str) -> None:  # noqa: N802 - QGIS's name
        self.warned.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N802, N803 - QGIS's names
        self.errors.append(error)


def algorithm(name: str) -> QgsProcessingAlgorithm:
    return QgsApplication.processingRegistry().createAlgorithmById(f"groundproof:{name}")


def run(
    name: str | QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    feedback: Feedback | None = None,
    project: QgsProject | None = None,
) -> tuple[dict[str, Any] | None, Feedback, QgsProcessingContext]:
    """In a worker thread, as the toolbox runs it. The outputs are None when it failed."""
    alg = algorithm(name) if isinstance(name, str) else name
    context = QgsProcessingContext()
    context.setProject(project or QgsProject.instance())
    feedback = feedback or Feedback()
    context.setFeedback(feedback)
    ok, why = alg.checkParameterValues(parameters, context)
    if not ok:
        feedback.errors.append(why)
        return None, feedback, context
    ended: list[Any] = []
    task = QgsProcessingAlgRunnerTask(alg, parameters, context, feedback)
    if task.isCanceled():  # as the toolbox finds out that the preparation failed
        return None, feedback, context
    task.executed.connect(lambda worked, outputs: ended.append(outputs if worked else None))
    QgsApplication.taskManager().addTask(task)
    until(lambda: ended, ANSWER_S)
    return ended[0], feedback, context
