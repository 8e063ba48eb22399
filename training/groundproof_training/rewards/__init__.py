"""Rewards: how good one completion is for one sample, in [0, 1], read by the engine's own parser.

Knows samples and metrics. Refuses to know trainers; `trl` is the one shell around it.
"""

from groundproof_training.rewards.reading import Reading, form_of
from groundproof_training.rewards.registry import NAMES, Reward, get

__all__ = ["NAMES", "Reading", "Reward", "form_of", "get"]
