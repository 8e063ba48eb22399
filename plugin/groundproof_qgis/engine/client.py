"""What one can ask an engine for, as calls that wait. For worker threads.

Knows the addresses of docs/service.md and what their answers hold. Refuses to know Qt and what the answers mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from groundproof_qgis.engine.address import AddressSource, EngineAddress, current
from groundproof_qgis.engine.errors import FAILED, VERSION, EngineError
from groundproof_qgis.engine.exchange import Answer, Cancelled, Waiting, exchange, never, pause
from groundproof_qgis.engine.plugin_version import plugin_version
from groundproof_qgis.engine.problem import error_of, json_object
from groundproof_qgis.engine.requests import JSON, Request
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.scene import PixelWindow, SceneSpec

API_VERSION = "1"
"""Of the interface this plugin was written for (docs/service.md)."""

QUICK_S = 30.0
"""Silence allowed for requests that an engine answers from memory."""
WORK_S = 120.0
"""Silence allowed for requests that make it read or write."""
ASK_GRACE_S = 5.0
"""How long the answer to a question just sent is still waited for when somebody cancels: it names the job to end."""
POLL_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Between looks at a job that is waited for; the last one goes on."""

ENDED = ("successful", "failed", "dismissed")
Progress = Callable[[int], None]
"""How many bytes have come."""


@dataclass(frozen=True)
class Health:
    """Who answers. version: of the engine. api: of its interface."""

    version: str
    api: str


@dataclass(frozen=True)
class Readiness:
    """ready: whether a question would be answered now. model: name, title, labels, tasks, tile_px, caution, licence."""

    ready: bool
    sentence: str
    model: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Downloaded:
    """path: where it lies. partial: what of the job it holds, such as "3 of 7 tiles"; None: all."""

    path: Path
    partial: str | None


class EngineClient:
    """Speaks to one engine. `cancelled` is looked at while waiting, about ten times a second.

    may_prompt: as in Request. Every call raises EngineError; its kind says what could help.
    """

    def __init__(
        self, address: AddressSource, cancelled: Cancelled = never, *, may_prompt: bool = True
    ) -> None:
        self._source = address
        self._may_prompt = may_prompt
        self.cancelled = cancelled

    @property
    def address(self) -> EngineAddress:
        """As it is now. Raises EngineError when there is no engine."""
        return current(self._source)

    def patient(self) -> EngineClient:
        """The same, for what must be done after somebody cancelled."""
        return EngineClient(self._source, may_prompt=self._may_prompt)

    def quietly(self) -> EngineClient:
        """The same, for looks that nobody waits for: raises EngineError (unauthorized) where QGIS would prompt."""
        return EngineClient(self._source, self.cancelled, may_prompt=False)

    def health(self) -> Health:
        """Needs no token. Raises EngineError (version) for another program, or another interface."""
        address = self.address
        answer = self.send(Request("GET", "/health"), Waiting(QUICK_S), address)
        document = json_object(address.url, answer.body)
        if document.get("service") != "groundproof":
            sentence = tr(
                "{url} is not a groundproof engine: something else answers there. Check the address."
            )
            raise EngineError(sentence.format(url=address.url), VERSION)
        found = Health(str(document.get("version", "?")), str(document.get("api", "?")))
        if found.api != API_VERSION:
            sentence = tr(
                "The engine at {url} (version {version}) speaks interface {theirs}; this plugin (version {plugin}) "
                "speaks interface {ours}. Update the older of the two."
            )
            raise EngineError(
                sentence.format(
                    url=address.url,
                    version=found.version[:40],
                    theirs=found.api[:40],
                    plugin=plugin_version(),
                    ours=API_VERSION,
                ),
                VERSION,
            )
        return found

    def ready(self) -> Readiness:
        """Whether the model can answer now, and which."""
        address = self.address
        answer = self.send(Request("GET", "/ready"), Waiting(QUICK_S, accepted=(503,)), address)
        return readiness(address, answer)

    def estimate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tiles, seconds and a sentence, before anything is sent (`POST /estimate`)."""
        return self._post("/estimate", body)

    def create_scene(self, spec: SceneSpec) -> str:
        """Declare a scene; gives its id."""
        return _text_of(self._post("/scenes", spec.as_json()), "id", self.address)

    def put_window(self, scene_id: str, window: PixelWindow) -> bool:
        """Send pixels; gives whether the scene is complete. The same window may be sent again."""
        size = f"?width={window.width}&height={window.height}" if window.is_raw else ""
        path = f"/scenes/{quote(scene_id, safe='')}/windows/{window.x0},{window.y0}{size}"
        request = Request("PUT", path, window.body, {"Content-Type": window.media_type})
        return bool(self._json(request, Waiting(WORK_S)).get("finished"))

    def scene(self, scene_id: str) -> dict[str, Any]:
        """What of a scene has come."""
        return self._get(f"/scenes/{quote(scene_id, safe='')}")

    def delete_scene(self, scene_id: str) -> None:
        """Forget a scene and its pixels."""
        self.send(Request("DELETE", f"/scenes/{quote(scene_id, safe='')}"), Waiting(QUICK_S))

    def ask(self, body: Mapping[str, Any], key: str | None = None) -> str:
        """Ask about scenes sent before (`asking.request.Question.as_json`); gives the job's id.

        key: of this question alone. Qt sends a request again by itself when a kept connection turns out to be dead, and
        the engine may have it already; with the same key it begins no second job.
        """
        request = _json_request("/ask", body, {} if key is None else {"Idempotency-Key": key})
        document = self._json(request, Waiting(WORK_S, grace_s=ASK_GRACE_S))
        return _text_of(document, "jobID", self.address)

    def job(self, job_id: str) -> dict[str, Any]:
        """Where a job stands: status, message, progress in percent."""
        return self._get(f"/jobs/{quote(job_id, safe='')}")

    def cancel(self, job_id: str) -> dict[str, Any]:
        """End a job that waits or runs; what was answered is kept. One that has ended stays as it is."""
        found = self.job(job_id)
        if found.get("status") in ENDED:
            return found  # the engine would delete it
        return self._json(Request("DELETE", f"/jobs/{quote(job_id, safe='')}"), Waiting(QUICK_S))

    def download(self, path: str, file: Path, progress: Progress | None = None) -> Downloaded:
        """Write what lies at `path` (such as /jobs/ID/files/result.gpkg) into a new file.

        It is written beside it and renamed when it is whole. Raises FileExistsError and OSError too.
        """
        beside = file.with_name(f".{file.name}.part")
        came = 0
        with beside.open("wb") as sink:

            def taken(piece: bytes) -> None:
                nonlocal came
                sink.write(piece)
                came += len(piece)
                if progress is not None:
                    progress(came)

            try:
                answer = self.send(Request("GET", path), Waiting(WORK_S, taken=taken))
            except BaseException:
                sink.close()
                beside.unlink()
                raise
        try:
            file.open("xb").close()  # nobody's file is ever overwritten
        except OSError:
            beside.unlink()
            raise
        beside.replace(file)
        return Downloaded(file, answer.headers.get("groundproof-partial"))

    def execute_async(self, process: str, inputs: Mapping[str, Any]) -> str:
        """Begin a process (audit, merge, diff, review-export, import); gives the job's id."""
        request = _json_request(
            f"/processes/{quote(process, safe='')}/execution", {"inputs": inputs}, {"Prefer": "respond-async"}
        )
        document = self._json(request, Waiting(WORK_S, grace_s=ASK_GRACE_S))
        return _text_of(document, "jobID", self.address)

    def execute_job(self, process: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Do a process; gives its job's id, under which its files lie, and its outputs.

        Cancelled, it is ended in the engine too.
        """
        job_id = self.execute_async(process, inputs)
        looks = 0
        try:
            while self.job(job_id).get("status") not in ENDED:
                pause(POLL_S[min(looks, len(POLL_S) - 1)], self.cancelled)
                looks += 1
        except EngineError:
            if self.cancelled():
                self.patient().cancel(job_id)
            raise
        return job_id, self.results(job_id)

    def results(self, job_id: str) -> dict[str, Any]:
        """The outputs of a job that was successful; raises the problem of one that failed."""
        return self._get(f"/jobs/{quote(job_id, safe='')}/results", Waiting(WORK_S))

    def send(self, request: Request, waiting: Waiting, address: EngineAddress | None = None) -> Answer:
        """Any request."""
        if not self._may_prompt:
            request = replace(request, may_prompt=False)
        return exchange(address or self.address, request, self.cancelled, waiting)

    def _get(self, path: str, waiting: Waiting = Waiting(QUICK_S)) -> dict[str, Any]:
        return self._json(Request("GET", path, headers={"Accept": JSON}), waiting)

    def _post(self, path: str, body: Mapping[str, Any], waiting: Waiting = Waiting(WORK_S)) -> dict[str, Any]:
        return self._json(_json_request(path, body), waiting)

    def _json(self, request: Request, waiting: Waiting) -> dict[str, Any]:
        address = self.address
        return json_object(address.url, self.send(request, waiting, address).body)


def readiness(address: EngineAddress, answer: Answer) -> Readiness:
    """What `/ready` said. Raises EngineError for an answer that is none of it."""
    document = json_object(address.url, answer.body)
    if "ready" not in document:
        raise error_of(address.url, answer.status, answer.headers, answer.body)
    model = document.get("model")
    return Readiness(
        document["ready"] is True,
        str(document.get("sentence", ""))[:500],
        model if isinstance(model, dict) else {},
    )


def _json_request(path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    encoded = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return Request("POST", path, encoded, {"Content-Type": JSON, **(headers or {})})


def _text_of(document: Mapping[str, Any], name: str, address: EngineAddress) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        sentence = tr("The engine at {url} gave no {name}. Check its version.")
        raise EngineError(sentence.format(url=address.url, name=name), FAILED)
    return value
