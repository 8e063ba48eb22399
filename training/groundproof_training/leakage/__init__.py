"""Leakage: which pictures of a test split a training split shows as well.

Found are: the same file, the same bytes, the same decoded pixels, windows of one file that share pixels, pictures
that look the same (recompressed, resized, turned, mirrored), and pictures cut from one original where a configuration
says how names tell it. Not found: a crop of one file in another file whose names do not tell.
"""

from groundproof_training.leakage.audit import Audit, AuditOptions, Pair, PairKind, Part, audit_parts

__all__ = ["Audit", "AuditOptions", "Pair", "PairKind", "Part", "audit_parts"]
