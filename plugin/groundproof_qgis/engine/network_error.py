"""Why there was no answer: Qt's network errors -> an error with one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtNetwork import QNetworkReply

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import PROXY, TLS, UNREACHABLE, VERSION, EngineError
from groundproof_qgis.engine.problem import proxy_wants_password
from groundproof_qgis.i18n_text import tr

_Code = QNetworkReply.NetworkError
_PROXY_ERRORS = (
    _Code.ProxyConnectionRefusedError,
    _Code.ProxyConnectionClosedError,
    _Code.ProxyNotFoundError,
    _Code.ProxyTimeoutError,
    _Code.UnknownProxyError,
)
_PROTOCOL_ERRORS = (
    _Code.ProtocolUnknownError,
    _Code.ProtocolInvalidOperationError,
    _Code.ProtocolFailure,
)


def no_answer(url: str, reply: QNetworkReply, tls_errors: Sequence[str]) -> EngineError:
    """The error of a finished reply without an HTTP status. url: the engine's. tls_errors: of its certificate."""
    code, why = reply.error(), reply.errorString().strip().rstrip(".")
    if code == _Code.ProxyAuthenticationRequiredError:
        return EngineError(proxy_wants_password(), PROXY)
    if code in _PROXY_ERRORS:
        sentence = tr(
            "The proxy that QGIS is set to use does not work: {why}. See Settings > Options > Network."
        )
        return EngineError(sentence.format(why=why), PROXY)
    if code == _Code.SslHandshakeFailedError:
        sentence = tr(
            "No trusted connection to {url}: {why}. If the certificate is your organisation's, add it under "
            "Settings > Options > Authentication > Manage Certificates."
        )
        return EngineError(sentence.format(url=url, why="; ".join(tls_errors) or why), TLS)
    if code in _PROTOCOL_ERRORS:
        sentence = tr("{url} is not a groundproof engine: it does not speak HTTP. Check address and port.")
        return EngineError(sentence.format(url=url), VERSION)
    if code == _Code.ConnectionRefusedError:
        sentence = tr("No engine answers at {url}. Check that it runs, and its port.")
        if not EngineAddress(url).is_loopback:  # Qt says the same of a proxy that does not answer
            sentence = tr(
                "No engine answers at {url}. Check that it runs, its port, and the proxy that QGIS is set to use "
                "(Settings > Options > Network)."
            )
        return EngineError(sentence.format(url=url), UNREACHABLE)
    if code == _Code.HostNotFoundError:
        sentence = tr("The host of {url} cannot be found. Check the address and the network.")
        return EngineError(sentence.format(url=url), UNREACHABLE)
    return dropped(url, why)


def dropped(url: str, why: str) -> EngineError:
    """A connection that ended before the answer did."""
    sentence = tr("The connection to the engine at {url} broke off: {why}.")
    return EngineError(sentence.format(url=url, why=why), UNREACHABLE)


def silent(url: str, seconds: float) -> EngineError:
    """An engine that was given up on."""
    sentence = tr(
        "The engine at {url} has said nothing for {seconds:.0f} seconds. Try again, or ask its operator."
    )
    return EngineError(sentence.format(url=url, seconds=seconds), UNREACHABLE)
