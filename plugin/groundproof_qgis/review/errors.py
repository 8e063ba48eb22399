"""What can go wrong with a review."""

from __future__ import annotations


class ReviewError(Exception):
    """A decision cannot be made or kept. The message is a sentence for a person: what came, what to do."""
