"""What the algorithms share: who answers, and how a run begins and ends.

Knows Processing's order of calls: prepare on the main thread, process in any, and no further call after a failure.
Refuses to know what is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterAuthConfig,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtGui import QIcon

from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.processing.host import Host
from groundproof_qgis.processing.session import Session
from groundproof_qgis.review.errors import ReviewError

ICON = Path(__file__).resolve().parents[1] / "icons" / "groundproof.svg"

EXPECTED = (EngineError, PixelError, LayerError, ReviewError, OSError)
"""What a person can meet; `str()` of each is a sentence."""

ENGINE = "ENGINE"
AUTHCFG = "AUTHCFG"
CONSENT = "CONSENT"


class GroundproofAlgorithm(QgsProcessingAlgorithm):
    """Subclasses give a name, parameters, and `made_ready` and `carried_out` instead of Processing's own two steps."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self._session: Session | None = None

    def createInstance(self) -> GroundproofAlgorithm:  # noqa: N802 - QGIS's name
        """Another one like this."""
        return type(self)(self.host)

    def icon(self) -> QIcon:
        """The plugin's."""
        return QIcon(str(ICON))

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802 - QGIS's name
        """Declare parameters and outputs, then who answers."""
        self.declare()
        engine = QgsProcessingParameterString(
            ENGINE, tr("Address of the engine (empty: as in the settings)"), optional=True
        )
        login = QgsProcessingParameterAuthConfig(
            AUTHCFG, tr("Authentication for that address"), optional=True
        )
        consent = QgsProcessingParameterBoolean(
            CONSENT, tr("I agree that imagery is sent to an engine on another computer"), defaultValue=False
        )
        for parameter in (engine, login, consent):
            self.add_advanced(parameter)

    def add_advanced(self, parameter: QgsProcessingParameterDefinition) -> None:
        """A parameter that most people leave alone."""
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def prepareAlgorithm(  # noqa: N802 - QGIS's name
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Find the engine and freeze what is asked."""
        try:
            self._session = Session(
                self.host,
                self.parameterAsString(parameters, ENGINE, context),
                self.parameterAsString(parameters, AUTHCFG, context),
                agreed=self.parameterAsBool(parameters, CONSENT, context),
            )
            self.made_ready(parameters, context, feedback, self._session)
        except EXPECTED as err:
            self._let_go()
            raise QgsProcessingException(str(err)) from err
        except QgsProcessingException:
            self._let_go()
            raise
        return True

    def processAlgorithm(  # noqa: N802 - QGIS's name
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Ask, then let go of the engine, however it went."""
        session = self._session
        if session is None:
            raise QgsProcessingException(tr("The algorithm was not prepared."))
        try:
            session.wait_until_ready(feedback)
            return self.carried_out(parameters, context, feedback, session)
        except EXPECTED as err:
            raise QgsProcessingException(str(err)) from err
        finally:
            self._let_go()

    def declare(self) -> None:
        """Add the algorithm's own parameters and outputs."""
        raise NotImplementedError

    def made_ready(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> None:
        """Read what only the main thread may. May raise what is in EXPECTED."""

    def carried_out(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        session: Session,
    ) -> dict[str, Any]:
        """The work, with an engine that can be asked; gives the outputs. May raise what is in EXPECTED."""
        raise NotImplementedError

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session = None
