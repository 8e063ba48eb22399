"""What the operator decided: where things are kept, what is allowed, how much at once.

Knows values and their defaults. Refuses to know HTTP and files' contents.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

API_VERSION = "1"
"""Changes when a client written for the one before could misunderstand an answer."""

MIB = 1 << 20


class Limits(BaseModel):
    """What one request may cost. Everything is checked before anything is decoded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_bytes: int = Field(default=256 * MIB, gt=0)
    """Of one request's body."""
    image_pixels: int = Field(default=100_000_000, gt=0)
    """Of one uploaded image or window, columns x rows."""
    scene_pixels: int = Field(default=1_000_000_000, gt=0)
    """Of one scene sent in pieces."""
    tiles: int = Field(default=100_000, gt=0)
    """Of one job."""
    stored_bytes: int = Field(default=20 * 1024 * MIB, gt=0)
    """Of all scenes kept at a time."""
    queue: int = Field(default=64, gt=0)
    """Jobs that wait or run; more are refused with 429."""
    decode_seconds: float = Field(default=60.0, gt=0)
    decode_bytes: int = Field(default=2048 * MIB, gt=0)
    """Address space of the process that decodes an upload."""
    wait_seconds: float = Field(default=600.0, gt=0)
    """How long a request that asked for the finished answer is kept waiting; then it is told the job."""


class ServiceSettings(BaseModel):
    """All of it. Frozen; made by the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path
    """Holds scenes/ and jobs/. Survives a restart."""
    token: SecretStr
    model: str = "tiny"
    """What `groundproof ask --model` takes."""
    device: str = "auto"
    host: str = "127.0.0.1"
    port: int = 8765
    public_url: str | None = None
    """As clients see the service behind a proxy; None: from the request."""
    hosts: tuple[str, ...] = ()
    """Names that may stand in a Host header, beside the loopback names and `host` itself."""
    origins: tuple[str, ...] = ()
    """Web origins that may call the service from a browser, beside its own page. No CORS header otherwise."""
    roots: tuple[Path, ...] = ()
    """Folders whose rasters may be asked about by path."""
    url_prefixes: tuple[str, ...] = ()
    """http(s) prefixes under which rasters may be asked about by URL, each ending in a slash."""
    workers: int = Field(default=2, gt=0)
    """Jobs answered at the same time by the one model."""
    keep_scenes_hours: float = Field(default=24.0, gt=0)
    """After its last use; never while a job needs it."""
    keep_jobs_days: float = Field(default=30.0, gt=0)
    """After it ended."""
    limits: Limits = Limits()

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def default_data_dir() -> Path:
    """${XDG_DATA_HOME:-~/.local/share}/groundproof/service."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "groundproof" / "service"
