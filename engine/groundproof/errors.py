"""Every error a person can meet, in one tree, and the one table that says what each means outside.

A message says what came, what is allowed and what to do. Shells (CLI, HTTP, QGIS) look the class up
in `OUTCOMES`; nothing else in the project maps errors to numbers.
"""

from __future__ import annotations

from dataclasses import dataclass


class GroundproofError(Exception):
    """Root of all errors raised on purpose. Anything else that escapes is a bug."""


class UsageError(GroundproofError):
    """The request itself cannot be carried out: a bad option, an empty question, a bad AOI."""


class SceneError(GroundproofError):
    """A scene cannot be read, or has no georeference and none was given."""


class ReadError(SceneError):
    """Pixels of one window cannot be read. Recorded as a tile row; the run goes on."""


class UnreachableError(SceneError):
    """A scene on a network could not be opened, or not be recognised, this time: another try may help."""


class AoiError(UsageError):
    """The area of interest is unreadable, empty or outside the scene."""


class OutsideError(AoiError):
    """The area of interest shares nothing with this scene: nothing to look at, and no defect."""


class MisfitError(UsageError):
    """An option does not fit this scene: a band it does not have. It may fit others."""


class ModelError(GroundproofError):
    """A model cannot be loaded, or died while answering."""


class RunError(UsageError):
    """A run directory cannot be used: another configuration, or damaged files."""


class OutputError(UsageError):
    """A result cannot be written where it was asked for: not writable, open elsewhere, disk full."""


class TooManyFailedError(GroundproofError):
    """More tiles failed than a batch was to bear; what was answered is kept."""


class StoppedError(GroundproofError):
    """Somebody stopped the work; what was answered is kept."""


class NotFoundError(UsageError):
    """There is nothing of that name: a job, a scene, a collection."""


class ForbiddenError(UsageError):
    """The request is understood and not allowed: a path outside the roots, a foreign origin."""


class TooLargeError(UsageError):
    """More bytes, pixels or tiles than the operator allows."""


class ParameterError(UsageError):
    """A parameter of an address is unknown or cannot be read; OGC API standards ask for status 400."""


class NotReadyError(UsageError):
    """It exists and is not complete yet: results of a running job, a scene with pixels missing."""


class BusyError(GroundproofError):
    """The queue is full. Come back after `retry_after_s`."""

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one class of error means to each shell.

    http_status: status code of the service; exit_code: of the command line; qgis_level: name of the
    `Qgis.MessageLevel` member.
    """

    http_status: int
    exit_code: int
    qgis_level: str


EXIT_OK = 0
EXIT_USAGE = 2
EXIT_SCENE = 3
EXIT_MODEL = 4
EXIT_PARTIAL = 5
"""Answered, but tiles or scenes failed."""
EXIT_INTERRUPTED = 130

OUTCOMES: dict[type[GroundproofError], Outcome] = {
    UsageError: Outcome(422, EXIT_USAGE, "Warning"),
    AoiError: Outcome(422, EXIT_USAGE, "Warning"),
    RunError: Outcome(409, EXIT_USAGE, "Warning"),
    OutputError: Outcome(507, EXIT_USAGE, "Critical"),
    SceneError: Outcome(422, EXIT_SCENE, "Critical"),
    ReadError: Outcome(422, EXIT_SCENE, "Critical"),
    ModelError: Outcome(503, EXIT_MODEL, "Critical"),
    TooManyFailedError: Outcome(500, EXIT_PARTIAL, "Critical"),
    StoppedError: Outcome(409, EXIT_INTERRUPTED, "Info"),
    NotFoundError: Outcome(404, EXIT_USAGE, "Warning"),
    ForbiddenError: Outcome(403, EXIT_USAGE, "Warning"),
    TooLargeError: Outcome(413, EXIT_USAGE, "Warning"),
    ParameterError: Outcome(400, EXIT_USAGE, "Warning"),
    NotReadyError: Outcome(409, EXIT_USAGE, "Warning"),
    BusyError: Outcome(429, EXIT_MODEL, "Warning"),
    GroundproofError: Outcome(500, 1, "Critical"),
}


def outcome(error: GroundproofError) -> Outcome:
    """The row of `OUTCOMES` for the error's class or its nearest listed ancestor."""
    return next(OUTCOMES[cls] for cls in type(error).__mro__ if cls in OUTCOMES)
