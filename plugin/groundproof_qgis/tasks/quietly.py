"""Tasks nobody needs to hear of when they are done."""

from __future__ import annotations

from qgis.core import QgsTask

QUIETLY = getattr(QgsTask.Flag, "Silent", QgsTask.Flag.CancelWithoutPrompt)
"""QGIS tells the end of tasks that took seconds, from 3.26 on unless they say this. Before, there was no such flag, and
this one, which they have anyway, changes nothing.
"""
