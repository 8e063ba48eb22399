"""The report of an evaluation: one HTML file without network, Markdown, JSON; a table for the terminal."""

from groundproof_training.evaluation.report.files import write_report
from groundproof_training.evaluation.report.machine import as_json
from groundproof_training.evaluation.report.markdown import markdown
from groundproof_training.evaluation.report.terminal import table

__all__ = ["as_json", "markdown", "table", "write_report"]
