"""The connection to a Ray cluster, or one of this machine alone, and what of it a worker gets.

Knows Ray's settings and resources. Refuses to know runs and models beyond "in process or not".
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from groundproof.errors import ModelError, UsageError

CPUS_PER_WORKER = 4
"""Where nothing else is said: a model on CPUs wins little from more threads at the batch sizes used here."""

OBJECT_STORE_BYTES = 128 << 20
"""Of a local Ray. Shards and their rows are some kilobytes; pixels never travel."""


@dataclass(frozen=True, slots=True)
class Share:
    """What the workers of a job take. cpus, gpus: of each worker; cpus is also its number of threads."""

    workers: int
    cpus: int
    gpus: float


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[Any]:
    """Ray, connected: as it is, to `address` (or the environment's RAY_ADDRESS), or started on this machine.

    A Ray that is started here listens on loopback, asks for a token that only this process and its children know,
    has no dashboard, and ends with this process. Ray's usage statistics are off. What Ray has to say of itself goes
    to its log files: standard output is for results. Raises ModelError, UsageError.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    if address is not None and address.startswith("ray://"):
        raise UsageError(
            f"{address} is an address for Ray Client, through which Ray Data does not work. Submit the command to "
            "the cluster (ray job submit), or run it on one of its machines and give HOST:6379."
        )
    _set_environment(alone=address is None)
    try:
        import ray
        import ray.data
    except ImportError as err:
        raise ModelError(
            f"Working on a Ray cluster needs Ray Data ({err}). Install it with: pip install 'groundproof[ray]'"
        ) from err
    if ray.is_initialized():
        yield ray
        return
    where = (
        {
            "address": "local",
            "num_cpus": max(os.cpu_count() or 1, workers or 1),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
        }
        if address is None
        else {"address": address}
    )
    try:
        with _own_sigterm():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    except (ConnectionError, RuntimeError, ValueError, OSError) as err:
        place = "on this machine" if address is None else f"at {address}"
        raise ModelError(f"Ray cannot be reached {place}: {err}") from err
    _hush(ray)
    try:
        yield ray
    finally:
        ray.shutdown()


def _set_environment(*, alone: bool) -> None:
    """Before Ray is imported, which reads some of these then. A person's own settings stay."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_AUTO_CONNECT": "0",  # what still runs at the end must not start a Ray of its own
        "RAY_BACKEND_LOG_LEVEL": "fatal",  # of this process: "constructor arguments in the object store", each time
    }
    if alone:
        # The name speaks of other systems; what it does is to make loopback the address of the one node.
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        settings["RAY_worker_niceness"] = "0"  # 15 otherwise; one process has none either
        if "RAY_AUTH_MODE" not in os.environ:
            settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in settings.items():
        os.environ.setdefault(name, value)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself and ends the process; whoever made a polite stop of it before keeps it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # neither Ray nor we may change it from here
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGTERM, before)


def _hush(ray: Any) -> None:
    # Without this every lost worker is a paragraph on standard output; Ray has no public name for it.
    ray._private.worker._worker_logs_enabled = False  # noqa: SLF001
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL)


def share(
    nodes: Iterable[Mapping[str, float]], workers: int | None, *, in_process: bool, gpus: float | None
) -> Share:
    """How many workers, and what each gets, so that all of them find room.

    nodes: resources of each machine ("CPU", "GPU"). workers: as asked for; None: one for each GPU, for each
    `CPUS_PER_WORKER` CPUs, or, in front of a server, one for each machine. in_process: the worker holds the model.
    gpus: of each worker; None: 1 where the model is in process and there are any.
    """
    machines = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes]
    if gpus is None:
        gpus = 1.0 if in_process and any(count for _, count in machines) else 0.0
    if gpus > 0:
        on = [(cpus, int(count // gpus)) for cpus, count in machines if count >= gpus]
        room = sum(count for _, count in on)
        each = min((cpus // count for cpus, count in on), default=1)
        return Share(max(1, workers or room), max(1, each), gpus)
    with_cpus = [cpus for cpus, _ in machines if cpus]
    if not in_process:
        return Share(max(1, workers or len(with_cpus)), 1, 0.0)
    number = max(1, workers or sum(max(1, cpus // CPUS_PER_WORKER) for cpus in with_cpus))
    each = max(1, min(max(with_cpus, default=1), sum(with_cpus) // number))
    while each > 1 and sum(cpus // each for cpus in with_cpus) < number:
        each -= 1
    return Share(number, each, 0.0)
