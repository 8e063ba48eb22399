"""What a person wrote after --model -> one profile, and where its model is: a folder or a server.

Knows names, folders, addresses and the files a checkpoint needs. Refuses to load weights; asks a server
only where an address comes without a profile, for the name of the model behind it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from groundproof.errors import ModelError
from groundproof.models.embedded import EMBEDDED_FOLDER
from groundproof.models.endpoint import Endpoint, parse_endpoint
from groundproof.models.profiles import Profile, get_profile, known_profiles

Engine = Literal["transformers", "vllm", "openai"]

WAYS = {"transformers": "transformers", "vllm": "vllm", "openai": "server"}
"""An engine's name in `Profile.ways`."""

WAYS_IN_WORDS = {
    "transformers": "with transformers (PROFILE:FOLDER)",
    "vllm": "with vLLM in this process (vllm:PROFILE:FOLDER)",
    "server": "behind a server (PROFILE:http://HOST:8000/v1)",
}

PROFILE_FILE = "groundproof.toml"
"""Optional file beside the weights: a profile as a user writes one, named after the folder."""

SMALL_HIDDEN_SIZE = 1024
"""A GLM-4V text model narrower than this cannot follow written instructions; it can only be a native one."""

PROFILE_OF_TYPE = {"qwen2_5_vl": "qwen2.5-vl", "qwen3_vl": "qwen3-vl"}
"""config.json's model_type -> profile, where one family has one profile."""

SHORT_NAME = 6
"""A profile name shorter than this is guessed from a served model only when it is its whole name."""

_ADDRESS = re.compile(r"(?:(?P<profile>.+?):)?(?P<url>https?://.*)", re.IGNORECASE | re.DOTALL)
_TOML = re.compile(r"(?P<profile>.+?\.toml):(?P<folder>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that can be opened: how to talk to it, where it is, and what runs it.

    place: the folder of its checked files, or the server's endpoint. note: one sentence when the profile was
    guessed, to be said aloud; else None. engine: "openai" exactly with an endpoint.
    """

    profile: Profile
    place: Path | Endpoint
    note: str | None = None
    engine: Engine = "transformers"

    def __post_init__(self) -> None:
        if (self.engine == "openai") != isinstance(self.place, Endpoint):
            raise ValueError(f"the engine {self.engine} cannot run a model at {self.place}")

    @property
    def folder(self) -> Path:
        """The checkpoint. Raises ModelError for a model on a server."""
        if isinstance(self.place, Endpoint):
            raise ModelError(
                f"{self.profile.name} is behind {self.place.url}; its weights are needed here. "
                "Give the folder of a checkpoint."
            )
        return self.place

    @property
    def endpoint(self) -> Endpoint:
        """The server. Raises ModelError for a model on this machine."""
        if isinstance(self.place, Path):
            raise ModelError(f"{self.profile.name} lies in {self.place}; the address of a server is needed.")
        return self.place


def resolve(model: str) -> ModelSpec:
    """PROFILE, FOLDER or PROFILE:FOLDER, with vllm: before it for vLLM in this process; URL or PROFILE:URL
    for a server. PROFILE is a name or the path of a .toml file, URL http(s)://HOST[:PORT]/v1[#MODEL].

    A folder without a named profile takes its `groundproof.toml`; without that, config.json's model_type
    decides, and `note` says so. An address without a profile takes one that the served model's name holds.

    Raises: ModelError when the name is unknown, the folder or one of its files is missing, the weights are
    not safetensors, the profile's weights do not come with the package, a family cannot be run in this way,
    or the address is not one.
    """
    prefix, colon, rest = model.partition(":")
    engine: Engine = "vllm" if colon and prefix == "vllm" else "transformers"
    asked = rest if engine == "vllm" else model
    address = _ADDRESS.fullmatch(asked)
    if address is not None and engine == "vllm":
        raise ModelError(
            "vllm: runs a model in this process, from its folder. A server is asked by its address alone, "
            "or by PROFILE:URL."
        )
    spec = _local(asked, engine) if address is None else _served(address["profile"], address["url"])
    _check_way(spec.profile, spec.engine)
    return spec


def _served(name: str | None, url: str) -> ModelSpec:
    endpoint = parse_endpoint(url)
    if name is not None:
        return ModelSpec(get_profile(name), endpoint, engine="openai")
    served = endpoint.model
    if served is None:
        from groundproof.models.probing import served_model  # the only reason to need the openai client here

        served = served_model(endpoint)
    profile = _named_in(served)
    if profile is None:
        raise ModelError(
            f"{endpoint.server} serves {served}, which names no known profile. Say how to talk to it with "
            f"PROFILE:{endpoint.url}; known profiles: {_known()}."
        )
    note = (
        f"{endpoint.server} serves {served}: taken for the profile {profile.name}. "
        f"Choose another with --model PROFILE:{endpoint.url}."
    )
    return ModelSpec(profile, endpoint, note, "openai")


def _named_in(served: str) -> Profile | None:
    """The profile whose name, or whose weights' name, a served model's name holds; the longest one wins."""
    last = _letters(served.rstrip("/").rsplit("/", 1)[-1])
    found: list[tuple[int, Profile]] = []
    for known in known_profiles():
        if known.profile is None:
            continue
        for name in (known.name, known.profile.source.rsplit("/", 1)[-1]):
            stem = _letters(name)
            if stem == last or (len(stem) >= SHORT_NAME and stem in last and name != "embedded"):
                found.append((len(stem), known.profile))
    return max(found, key=lambda match: match[0])[1] if found else None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _local(asked: str, engine: Engine) -> ModelSpec:
    split = _TOML.fullmatch(asked)
    name, colon, rest = asked.partition(":") if split is None else (split["profile"], ":", split["folder"])
    names = {known.name for known in known_profiles()}
    if colon and (name in names or split is not None):
        return ModelSpec(get_profile(name), _checkpoint(Path(rest).expanduser()), engine=engine)
    if asked in names or asked.endswith(".toml"):
        return _without_folder(get_profile(asked), asked, engine)
    folder = Path(asked).expanduser()
    if not folder.exists() and colon and "/" not in name and "\\" not in name and len(name) > 1:
        get_profile(name)
    if not folder.exists():
        raise ModelError(
            f"{asked!r} is neither a model profile, nor a folder, nor the address of a server. Known profiles: "
            f"{_known()}; or give the folder of a checkpoint, PROFILE:FOLDER, or PROFILE:http://HOST:8000/v1."
        )
    return _guessed(_checkpoint(folder), engine)


def _without_folder(profile: Profile, asked: str, engine: Engine) -> ModelSpec:
    _check_way(profile, engine)
    if profile.source != "embedded":
        raise ModelError(
            f"The weights of {profile.name} are not on this machine. Serve them, `vllm serve {profile.source}`, "
            f"and give the server's address, --model {asked}:http://localhost:8000/v1; or give their folder, "
            f"--model {asked}:FOLDER."
        )
    if not EMBEDDED_FOLDER.is_dir():
        raise ModelError(
            f"This installation has no embedded model (looked in {EMBEDDED_FOLDER}). Install a released "
            "package, make the weights with `groundproof-train` (`groundproof-train --help` lists the "
            "stages), or give the folder of a checkpoint with --model."
        )
    folder = _checkpoint(EMBEDDED_FOLDER)
    return ModelSpec(profile, folder, engine=engine)


def _guessed(folder: Path, engine: Engine) -> ModelSpec:
    written = _written_profile(folder)
    if written is not None:
        return ModelSpec(written, folder, engine=engine)
    config = _json_object(folder / "config.json")
    kind = config.get("model_type")
    if kind == "glm4v":
        text = config.get("text_config")
        width = text.get("hidden_size", 0) if isinstance(text, dict) else 0
        name = "tiny" if 0 < width < SMALL_HIDDEN_SIZE else "glm-4.1v-thinking"
        if "rsthinker" in folder.resolve().name.lower():
            name = "rsthinker"
    elif kind in PROFILE_OF_TYPE:
        name = PROFILE_OF_TYPE[kind]
    else:
        raise ModelError(
            f"{folder} holds a model of type {kind!r}, which no profile describes. Say how to talk to it with "
            f"PROFILE:FOLDER; known profiles: {_known()}."
        )
    note = (
        f"{folder} has no {PROFILE_FILE}: its type {kind} is taken for the profile {name}. "
        f"Choose another with --model PROFILE:{folder}."
    )
    return ModelSpec(get_profile(name), folder, note, engine)


def _written_profile(folder: Path) -> Profile | None:
    path = folder / PROFILE_FILE
    if not path.is_file():
        return None
    return get_profile(str(path)).model_copy(update={"name": folder.resolve().name})


def _check_way(profile: Profile, engine: Engine) -> None:
    if WAYS[engine] in profile.ways:
        return
    way, others = WAYS_IN_WORDS[WAYS[engine]], " or ".join(WAYS_IN_WORDS[way] for way in profile.ways)
    serving = f" ({profile.serving})" if profile.serving else ""
    raise ModelError(f"{profile.name} cannot be run {way}, only {others}{serving}.")


def _known() -> str:
    return ", ".join(known.name for known in known_profiles())


def _checkpoint(folder: Path) -> Path:
    """The folder, when it holds a config and complete safetensors weights."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ModelError(f"The model folder {folder} {what}. Give the folder of a checkpoint.")
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json, so it is not the folder of a checkpoint.")
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = _json_object(index).get("weight_map", {})
        missing = sorted({str(s) for s in shards.values()} - {p.name for p in folder.iterdir()})
        if not shards or missing:
            raise ModelError(
                f"{folder} lacks weight files named by {index.name}: {', '.join(missing) or 'all'}."
            )
    elif not (folder / "model.safetensors").is_file():
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pth"})
        if pickles:
            raise ModelError(
                f"{folder} has its weights as {pickles[0]}, a pickle, which can run any code when opened. "
                "Only safetensors are read; convert it where you trust it (save_pretrained writes safetensors)."
            )
        raise ModelError(f"{folder} has no weights: model.safetensors, or shards with an index, are needed.")
    return folder


def _json_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ModelError(f"{path} cannot be read as JSON: {err}.") from err
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds {type(value).__name__}, not a JSON object.")
    return value
