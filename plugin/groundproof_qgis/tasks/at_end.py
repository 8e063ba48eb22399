"""QGIS closes, or the plugin is switched off: what still runs in the background ends first.

A task that outlives them would release its layers after QGIS has taken down what they are made of, and QGIS would
crash.
"""

from __future__ import annotations

import time

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop

from groundproof_qgis.tasks.ask_task import AnswerTask
from groundproof_qgis.tasks.call_task import CallTask
from groundproof_qgis.tasks.work_task import WorkTask

LIMIT_S = 5.0
IDLE_S = 1.0
"""How long tasks of others may take to end."""
PAUSE_S = 0.01
_OVER = (QgsTask.TaskStatus.Complete, QgsTask.TaskStatus.Terminated)


def end_tasks(limit_s: float = LIMIT_S) -> bool:
    """Cancel the plugin's tasks and wait for them; whether all have ended. Questions go on in the engine.

    Events are handled meanwhile, as requests are sent on the main thread; what the person types or clicks is not.
    """
    end = time.monotonic() + limit_s
    for task in _running():
        task.cancel()
    while _running():
        if time.monotonic() > end:
            return False
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 50)
        time.sleep(PAUSE_S)
    _let_threads_go()
    return True


def _let_threads_go() -> None:
    """End the idle threads of QGIS's tasks.

    QGIS 3.40 takes down its authentication before them. One that has asked for an https address, as QGIS's news do,
    and ends within the 30 s after its last task would still tell it so, and QGIS would crash while it closes. In
    QGIS 3.22 tasks have no threads of their own, and QGIS ends those that it has before.
    """
    manager = QgsApplication.taskManager()
    if not hasattr(manager, "threadPool"):
        return
    manager.threadPool().waitForDone(int(1000 * IDLE_S))  # handles no events: nobody may add a layer now


def _running() -> list[QgsTask]:
    ours = (AnswerTask, CallTask, WorkTask)
    tasks = QgsApplication.taskManager().tasks()
    return [one for one in tasks if isinstance(one, ours) and one.status() not in _OVER]
