"""What can go wrong before anything is sent."""

from __future__ import annotations


class PixelError(Exception):
    """Imagery cannot be asked about or read. The message is a sentence for a person: what came, what to do."""


class OutsideError(PixelError):
    """The place lies outside the imagery."""
