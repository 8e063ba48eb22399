"""Rationales under the ground truth: who writes them (templates, a teacher), and who decides whether they are true."""

from groundproof_training.rationales.verifier import Limits, Reason, Rule, Verdict, Verifier
from groundproof_training.rationales.words import Vocabulary
from groundproof_training.rationales.writer import write_rationale

__all__ = ["Limits", "Reason", "Rule", "Verdict", "Verifier", "Vocabulary", "write_rationale"]
