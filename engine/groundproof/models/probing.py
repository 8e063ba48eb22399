"""What stands behind a model server's address, asked once before any imagery is sent.

Knows /v1/models and vLLM's own routes. Refuses to send imagery and to know what is asked later.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import openai

from groundproof.errors import ModelError
from groundproof.models.endpoint import OPENAI_HOST, Endpoint
from groundproof.models.prompt import THINK
from groundproof.models.retrying import Backoff, RequestError, failed

PROBE_BACKOFF = Backoff(tries=3, total_s=10.0)
"""A person waits for this: a wrong address should be said soon."""

PROBE_TIMEOUT = openai.Timeout(20.0, connect=5.0)

GRAMMAR_SINCE = (0, 12)
"""The vLLM that brought `structured_outputs` for the `guided_*` fields."""

_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """One served model. model: its id. revision: what the server tells of the weights behind the id, or "".

    vllm: (major, minor) of a vLLM, else None. opening: "<think>" where the chat template already opens the
    answer's thinking, as far as the server shows it.
    """

    model: str
    revision: str = ""
    vllm: tuple[int, int] | None = None
    opening: str = ""

    @property
    def constrains(self) -> bool:
        """Whether it holds an answer to a grammar."""
        return self.vllm is not None and self.vllm >= GRAMMAR_SINCE


def served_model(endpoint: Endpoint, backoff: Backoff = PROBE_BACKOFF) -> str:
    """The id of the model to ask: the one named, or the only one served.

    Raises: ModelError when nothing answers, the key is refused, or the choice is not clear.
    """
    return str(_model(endpoint, backoff)["id"])


def probe(endpoint: Endpoint, backoff: Backoff = PROBE_BACKOFF) -> Server:
    """Everything an adapter must know before it asks.

    Raises: ModelError as `served_model` does.
    """
    model = _model(endpoint, backoff)
    version = _vllm_version(endpoint)
    opening = _opening(endpoint, str(model["id"])) if version else ""
    return Server(str(model["id"]), _revision(model), version, opening)


def http_options(endpoint: Endpoint) -> dict[str, Any]:
    """For both kinds of HTTP client: proxies of the environment except to this machine; no redirects, which
    could carry the key and the imagery elsewhere."""
    return {"trust_env": not endpoint.loopback, "follow_redirects": False}


def client_options(endpoint: Endpoint, key: str | None) -> dict[str, Any]:
    """For both kinds of `openai` client. `retrying.py` decides about tries, not the client."""
    return {"base_url": endpoint.url, "api_key": key or "none", "max_retries": 0}


def headers(endpoint: Endpoint, key: str | None) -> dict[str, Any]:
    """For every request: what the client would send and must not. Without a key the client insists on a
    header all the same, and what the environment holds for OpenAI goes to no other server."""
    omitted = [] if key else ["Authorization"]
    if endpoint.host != OPENAI_HOST:
        omitted += ["OpenAI-Organization", "OpenAI-Project"]
    return dict.fromkeys(omitted, openai.Omit())


def _ask(endpoint: Endpoint, url: str, body: dict[str, Any] | None = None) -> object:
    """One JSON document. Raises what the client raises."""
    key = endpoint.key()
    http = openai.DefaultHttpxClient(timeout=PROBE_TIMEOUT, **http_options(endpoint))
    with openai.OpenAI(timeout=PROBE_TIMEOUT, http_client=http, **client_options(endpoint, key)) as client:
        options: Any = {"headers": headers(endpoint, key)}
        if body is None:
            return client.get(url, cast_to=object, options=options)
        return client.post(url, cast_to=object, body=body, options=options)


def _model(endpoint: Endpoint, backoff: Backoff) -> dict[str, Any]:
    try:
        models = _models(endpoint, backoff)
    except RequestError as err:
        if err.dead and endpoint.model is not None and "HTTP 404" in str(err):
            return {"id": endpoint.model}  # a gateway without a list of models
        hint = (
            f" Is a server running at {endpoint.url}? `vllm serve FOLDER` starts one." if err.silent else ""
        )
        raise ModelError(f"{err}{hint}") from err
    names = ", ".join(model["id"] for model in models[:20]) or "none"
    if endpoint.model is not None:
        found = [model for model in models if model["id"] == endpoint.model]
        if not found:
            raise ModelError(f"{endpoint.server} does not serve {endpoint.model!r}. It serves: {names}.")
        return found[0]
    if len(models) != 1:
        raise ModelError(
            f"{endpoint.server} serves {len(models)} models: {names}. Name one behind the address, as in "
            f"{endpoint.url}#MODEL."
        )
    return models[0]


def _models(endpoint: Endpoint, backoff: Backoff) -> list[dict[str, Any]]:
    began = time.monotonic()
    failures = 0
    while True:
        try:
            page = _ask(endpoint, f"{endpoint.url}/models")
            break
        except (openai.APIError, ValueError) as err:
            failures += 1
            error = failed(err, endpoint, endpoint.key())
        wait_s = backoff.wait_s(failures, error.retry_after_s, time.monotonic() - began)
        if not error.again or wait_s is None:
            raise error
        time.sleep(wait_s)
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, list):
        raise RequestError(
            f"{endpoint.url}/models does not list models; the address is no OpenAI-compatible API."
        )
    return [model for model in data if isinstance(model, dict) and isinstance(model.get("id"), str)]


def _revision(model: dict[str, Any]) -> str:
    """vLLM's `root` is a hub id or a folder, of which the last part is enough; other servers name a revision or
    digest. `created` is no revision: several servers put the time of asking there."""
    root = str(model.get("root") or "").rstrip("/")
    last = root.rsplit("/", 1)[-1]
    if last and model["id"] not in (root, last):
        return last
    for name in ("revision", "digest", "sha", "hash"):
        if isinstance(model.get(name), str):
            return str(model[name])
    return ""


def _vllm_version(endpoint: Endpoint) -> tuple[int, int] | None:
    """None for every server that is not vLLM: it alone answers /version like this."""
    value = _json(endpoint, "/version")
    version = value.get("version") if value else None
    match = _VERSION.match(version) if isinstance(version, str) else None
    return (int(match[1]), int(match[2])) if match else None


def _opening(endpoint: Endpoint, model: str) -> str:
    """What vLLM's /tokenize shows at the end of a prompt: a template that ends in "<think>" opens the thinking."""
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": "?"}],
        "add_generation_prompt": True,
        "return_token_strs": True,
    }
    value = _json(endpoint, "/tokenize", asked) or {}
    tokens = value.get("token_strs")
    if not isinstance(tokens, list):
        return ""
    end = "".join(str(token) for token in tokens[-8:]).replace(
        "\u010a", ""
    )  # how byte-level tokens write a line's end
    return THINK if end.rstrip().endswith(THINK) else ""


def _json(endpoint: Endpoint, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """A route that vLLM has at its root, or None: whoever does not know it is another server."""
    try:
        value = _ask(endpoint, endpoint.root + path, body)
    except (openai.APIError, ValueError):
        return None
    return value if isinstance(value, dict) else None
