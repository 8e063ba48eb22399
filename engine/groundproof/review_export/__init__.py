"""A reviewed result as training data: what a person agreed with, and the pixels it lies on.

Knows results, scenes and the formats of training data. Refuses to know models and how one is trained.
"""

from groundproof.review_export.export import Exported, ExportFormat, export

__all__ = ["ExportFormat", "Exported", "export"]
