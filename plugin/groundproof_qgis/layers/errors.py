"""What can go wrong with a result's layers."""

from __future__ import annotations


class LayerError(Exception):
    """A result cannot be shown, changed or saved. The message is a sentence for a person: what came, what to do."""
