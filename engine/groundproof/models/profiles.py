"""Profiles by name: those that come with the package and those a user wrote, one TOML file each.

Knows files, names and which profile builds on which. Refuses to know what an adapter does with one.
A file's name is its profile's name; `base = "NAME"` takes over every field that the file does not give.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import groundproof
from groundproof.errors import ModelError
from groundproof.models.profile import Profile, PromptTexts

__all__ = [
    "DEFAULT_PROFILE",
    "PROFILES",
    "KnownProfile",
    "Profile",
    "get_profile",
    "known_profiles",
    "user_folder",
]

BUILT_IN_FOLDER = Path(groundproof.__file__).resolve().parent / "profiles"
DEFAULT_PROFILE = "tiny"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_RESERVED = ("vllm", "http", "https")
"""Words that begin a --model of another kind."""
_OURS = ("name", "weights_run")
"""Fields that no file of a user gives: its name does, and whether *this project* ran the weights."""


@dataclass(frozen=True, slots=True)
class KnownProfile:
    """One profile there is. file: where a user wrote it, None for a built-in one.

    profile: None when the file cannot be used; problem then says why, in a sentence.
    """

    name: str
    file: Path | None
    profile: Profile | None
    problem: str | None = None


def get_profile(name_or_path: str) -> Profile:
    """The profile of this name, built in or in `user_folder`, or of this path when it ends in `.toml`.

    Raises: ModelError for an unknown name, with the known ones; for a file that is no profile, with the
    field, what was found and what is allowed; for a user's file that has a built-in profile's name.
    """
    return _get(name_or_path, ())


def known_profiles() -> list[KnownProfile]:
    """All profiles, the default first, built-in ones before the user's. A broken file is listed as such."""
    known = [KnownProfile(name, None, profile) for name, profile in PROFILES.items()]
    for path in _user_files():
        try:
            known.append(KnownProfile(path.stem, path, _load(path, ())))
        except ModelError as err:
            known.append(KnownProfile(path.stem, path, None, str(err)))
    return known


def user_folder() -> Path:
    """Where a user's profiles lie: `$XDG_CONFIG_HOME/groundproof/profiles`, default in `~/.config`."""
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    # The XDG specification has relative paths ignored.
    return (base if base.is_absolute() else Path.home() / ".config") / "groundproof" / "profiles"


def _user_files() -> list[Path]:
    return sorted(user_folder().glob("*.toml"))


def _get(name: str, above: tuple[Path, ...]) -> Profile:
    """above: the files that build on this one, so that a circle is seen."""
    if name.endswith(".toml"):
        return _load(Path(name).expanduser(), above)
    file = user_folder() / f"{name}.toml"
    mine = _NAME.fullmatch(name) is not None and file.is_file()
    if name in PROFILES and not mine:
        return PROFILES[name]
    if mine:
        return _load(file, above)
    names = ", ".join([*PROFILES, *(path.stem for path in _user_files())])
    raise ModelError(
        f"There is no model profile {name!r}. Known profiles: {names}. "
        f"One of your own is a file {user_folder() / 'NAME.toml'}, or the path of a .toml file."
    )


def _load(path: Path, above: tuple[Path, ...]) -> Profile:
    """A user's file."""
    name = path.stem
    if name in PROFILES:
        raise ModelError(
            f"{path} has the name of the built-in profile {name}, which it would hide. Give the file another "
            f'name; base = "{name}" in it takes over that profile\'s fields.'
        )
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ModelError(
            f"{path}: a profile has its file's name, and {name!r} is none. Allowed: small letters, digits and "
            f". - _, beginning with a letter or digit; not {', '.join(_RESERVED)}."
        )
    if path.resolve() in above:
        circle = " -> ".join(str(p) for p in (*above[above.index(path.resolve()) :], path.resolve()))
        raise ModelError(f"These profiles build on each other in a circle: {circle}. Take out one base.")
    own = _toml(path)
    for key in _OURS:
        if key in own:
            raise ModelError(
                f"{path}: {key} = {own[key]!r} is not for a profile file: the file's name is the profile's name, "
                "and weights_run says what the groundproof project itself has run. Take the line out."
            )
    fields: dict[str, Any] = {}
    base = own.pop("base", None)
    if base is not None:
        if not isinstance(base, str):
            raise ModelError(
                f'{path}: base = {base!r} should be the name of a profile, as in base = "qwen3-vl".'
            )
        found = str(path.parent / base) if base.endswith(".toml") else base
        fields = _get(found, (*above, path.resolve())).model_dump(exclude=set(_OURS))
    return _validated(path, _merged(fields, own))


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, everything else is replaced."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ModelError(f"The profile {path} cannot be read: {err.strerror or err}.") from err
    except ValueError as err:  # not TOML, or not UTF-8
        raise ModelError(f"{path} is not a TOML file: {err}.") from err


def _validated(path: Path, fields: dict[str, Any]) -> Profile:
    try:
        return Profile.model_validate({**fields, "name": path.stem})
    except ValidationError as err:
        raise ModelError(f"{path}: {_sentence(err)}") from err


def _sentence(err: ValidationError) -> str:
    """The first fault: the field, what was found, what is allowed."""
    fault = err.errors()[0]
    place = [str(part) for part in fault["loc"] if part != "[key]"]
    field, got, said = ".".join(place), fault["input"], fault["msg"]
    if fault["type"] == "extra_forbidden":
        model = PromptTexts if place[0] == "prompt" else Profile
        allowed = ["base", *model.model_fields] if model is Profile else [*model.model_fields]
        allowed = [name for name in allowed if name not in _OURS]
        close = get_close_matches(place[-1], allowed, 1)
        meant = f" Did you mean {close[0]}?" if close else ""
        return f"there is no field {field} (got {got!r}).{meant} Allowed: {', '.join(allowed)}."
    if fault["type"] == "missing":
        return f'the field {field} is missing. Give it, or take over another profile\'s with base = "NAME".'
    if fault["type"] == "value_error":
        return f"{said.removeprefix('Value error, ')}."
    return f"{field} is {got!r}; allowed: {said.removeprefix('Input should be ')}."


def _built_in() -> dict[str, Profile]:
    files = sorted(BUILT_IN_FOLDER.glob("*.toml"), key=lambda path: (path.stem != DEFAULT_PROFILE, path.stem))
    return {path.stem: _validated(path, _toml(path)) for path in files}


PROFILES: dict[str, Profile] = _built_in()
"""Built-in profiles by name; the first is the default model."""
