"""Who answers, as the person chose it.

Knows QGIS's settings. Secrets are not here: the token of a remote engine lies in QGIS's authentication database, and
only the id of its configuration is kept; that of the engine on this computer is made anew at each start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from qgis.core import QgsSettings

from groundproof_qgis.engine.address import EngineAddress

LOCAL = "local"
REMOTE = "remote"
GROUP = "groundproof/engine"
CONSENTS = "groundproof/consents"
EXTRAS = "[torch,serve]"
"""What the engine needs to answer with the embedded model over HTTP."""
MODEL = "tiny"


@dataclass(frozen=True)
class EngineSettings:
    """who: LOCAL or REMOTE. url, authcfg: of the remote engine.

    command: how to start an engine that is installed already; empty: the plugin's own. source: what pip installs: a
    wheel file or an address; empty: nothing was chosen, and nothing can be installed. python: a Python >= 3.11 to
    install with; empty: the plugin looks for one. model: what the engine on this computer answers with, as
    `groundproof serve --model`.
    """

    who: str = LOCAL
    url: str = ""
    authcfg: str = ""
    command: str = ""
    source: str = ""
    python: str = ""
    model: str = MODEL

    def __post_init__(self) -> None:
        if self.who not in (LOCAL, REMOTE):
            raise ValueError(f"who answers is {LOCAL} or {REMOTE}, not {self.who!r}")

    def remote_address(self) -> EngineAddress:
        """Raises EngineError (invalid) when the URL is none."""
        return EngineAddress(self.url, self.authcfg)


def load() -> EngineSettings:
    """What is chosen now; a value that makes no sense, from another version say, is the default."""
    kept = QgsSettings()

    def text(name: str, default: str = "") -> str:
        return str(kept.value(f"{GROUP}/{name}", default) or default)

    return EngineSettings(
        who=REMOTE if text("who") == REMOTE else LOCAL,
        url=text("url"),
        authcfg=text("authcfg"),
        command=text("command"),
        source=text("source"),
        python=text("python"),
        model=text("model", MODEL),
    )


def save(settings: EngineSettings) -> None:
    """Keep the choice."""
    kept = QgsSettings()
    for name in ("who", "url", "authcfg", "command", "source", "python", "model"):
        kept.setValue(f"{GROUP}/{name}", getattr(settings, name))


def has_consent(address: EngineAddress) -> bool:
    """Whether a person agreed to send imagery to this engine. Nothing leaves the computer for a loopback address."""
    return address.is_loopback or address.url in _consents()


def give_consent(address: EngineAddress) -> None:
    """Remember that a person agreed to send imagery to this engine."""
    _keep_consents([*_consents(), address.url])


def withdraw_consent(address: EngineAddress) -> None:
    """Ask again the next time."""
    _keep_consents([url for url in _consents() if url != address.url])


def consents() -> tuple[str, ...]:
    """The engines a person agreed to send imagery to."""
    return tuple(_consents())


def forget_consents() -> None:
    """Ask again for every engine."""
    _keep_consents([])


def _consents() -> list[str]:
    try:
        urls = json.loads(str(QgsSettings().value(CONSENTS, "[]") or "[]"))
    except ValueError:  # edited by hand: nobody agreed to that
        return []
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _keep_consents(urls: list[str]) -> None:
    QgsSettings().setValue(CONSENTS, json.dumps(sorted(set(urls))))
