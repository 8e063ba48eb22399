"""Files of predictions that somebody else made, as cases.

loaded = load(Path("answers.jsonl"), "earthdial")
for family, cases in loaded.by_family().items(): score(cases)
"""

from groundproof_training.evaluation.prediction_files.base import FileOptions, Frame, Loaded
from groundproof_training.evaluation.prediction_files.registry import FORMATS, load

__all__ = ["FORMATS", "FileOptions", "Frame", "Loaded", "load"]
