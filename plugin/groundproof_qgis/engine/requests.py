"""One request to an engine, as Qt sends it: through QGIS's proxy, certificates and authentication.

Knows headers. Refuses to know which network manager is right (`transfer`), to wait for the answer and to read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QByteArray, QTimer, QUrl
from qgis.PyQt.QtNetwork import QNetworkAccessManager, QNetworkReply, QNetworkRequest

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.errors import UNAUTHORIZED, EngineError
from groundproof_qgis.engine.plugin_version import plugin_version
from groundproof_qgis.i18n_text import tr

JSON = "application/json"
READ_BUFFER_BYTES = 4 << 20
"""How much of an answer may wait unread; the rest waits in the network."""


@dataclass(frozen=True)
class Request:
    """method: of HTTP. path: below the engine's address, with a slash, already quoted. body: sent as it is.

    may_prompt: whether a person waits for the answer, so that QGIS may ask for the master password of its
    authentication database.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    may_prompt: bool = True


def send(manager: QNetworkAccessManager, address: EngineAddress, request: Request) -> QNetworkReply:
    """Send it. The manager must live as long as the reply.

    QGIS gives up on requests after a minute of silence; here whoever waits decides that. Redirects are not followed:
    they could lead to somebody who should not see the token. Raises EngineError (unauthorized) when QGIS's
    authentication configuration cannot be used, or only after a prompt that the request may not cause.
    """
    prepared = _prepared(address, request)
    body = QByteArray(b"" if request.body is None else request.body)
    if request.method == "GET":
        reply = manager.get(prepared)
    elif request.method == "PUT":
        reply = manager.put(prepared, body)
    elif request.method == "POST":
        reply = manager.post(prepared, body)
    else:
        reply = manager.sendCustomRequest(prepared, request.method.encode())
    timer = reply.findChild(QTimer, "timeoutTimer")
    if timer is not None:
        timer.stop()
    reply.setReadBufferSize(READ_BUFFER_BYTES)
    if address.authcfg and not address.is_plain:
        QgsApplication.authManager().updateNetworkReply(reply, address.authcfg)
    return reply


def _prepared(address: EngineAddress, request: Request) -> QNetworkRequest:
    prepared = QNetworkRequest(QUrl(address.url + request.path))
    for attribute, value in (
        (QNetworkRequest.Attribute.CacheLoadControlAttribute, QNetworkRequest.CacheLoadControl.AlwaysNetwork),
        (QNetworkRequest.Attribute.CacheSaveControlAttribute, False),
        (
            QNetworkRequest.Attribute.RedirectPolicyAttribute,
            QNetworkRequest.RedirectPolicy.ManualRedirectPolicy,
        ),
    ):
        prepared.setAttribute(attribute, value)
    headers = {
        "Accept": "*/*",
        # Answers come as long as the engine says they are; Qt would unpack them and hide when one is cut off.
        "Accept-Encoding": "identity",
        # Engines offer HTTP Basic to those who do not say this, and QGIS would put up a dialog for a wrong token.
        "Sec-Fetch-Dest": "empty",
        "User-Agent": f"groundproof-qgis/{plugin_version()}",
        **request.headers,
    }
    if address.token_source is not None:
        headers["Authorization"] = f"Bearer {address.token_source()}"
    for name, text in headers.items():
        prepared.setRawHeader(name.encode(), text.encode())
    if address.authcfg:
        if not (request.may_prompt or QgsApplication.authManager().masterPasswordIsSet()):
            sentence = tr(
                "QGIS's authentication database is locked. Press Try again and enter the master password."
            )
            raise EngineError(sentence, UNAUTHORIZED)
        worked, prepared = QgsApplication.authManager().updateNetworkRequest(prepared, address.authcfg)
        if not worked:
            sentence = tr(
                "QGIS's authentication configuration {name} cannot be used. Unlock QGIS's authentication database with "
                "its master password, or choose another configuration in the settings."
            )
            raise EngineError(sentence.format(name=address.authcfg), UNAUTHORIZED)
    return prepared
