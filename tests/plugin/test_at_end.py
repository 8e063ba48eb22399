"""QGIS closes: what the plugin's tasks ran in is gone before QGIS takes itself down."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import Qt, QThread

from groundproof_qgis.tasks.at_end import end_tasks
from tests.plugin.engine_waiting import until


class Asks(QgsTask):
    """Anything that QGIS does in the background."""

    def __init__(self, finished: list[str]) -> None:
        super().__init__("asks")
        self._finished = finished

    def run(self) -> bool:
        QThread.currentThread().finished.connect(
            lambda: self._finished.append("thread"), Qt.ConnectionType.DirectConnection
        )
        return True


def test_idle_threads_of_tasks_end(qgis_app):
    manager = QgsApplication.taskManager()
    if not hasattr(manager, "threadPool"):
        pytest.skip("this QGIS ends the threads of its tasks itself, in time")
    finished: list[str] = []
    completed: list[bool] = []
    task = Asks(finished)
    task.taskCompleted.connect(lambda: completed.append(True))
    manager.addTask(task)
    until(lambda: completed)
    assert finished == []
    assert end_tasks()
    assert finished == ["thread"]
