"""`groundproof serve`: options and the start of the HTTP service.

Knows options, the token's rules and sockets. Everything else is `groundproof.service`.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from groundproof.errors import UsageError
from groundproof.shell import said_as_sentences
from groundproof.terminal import Terminal

if TYPE_CHECKING:
    import uvicorn

    from groundproof.service.settings import ServiceSettings

MIN_TOKEN = 16
"""Characters of an operator's own token."""

GRACE_S = 10
"""How long open answers may take when the service is stopped."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8765,
    token_env: Annotated[
        str | None,
        typer.Option(
            help="Environment variable that holds the token. Needed for any address but this computer's own; "
            "without it a token is made and printed."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="What answers, as for `groundproof ask`.")] = "tiny",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where scenes and jobs are kept. Default: ~/.local/share/groundproof/service."),
    ] = None,
    allow_root: Annotated[
        list[Path] | None, typer.Option(help="Folder whose rasters may be asked about by path. Repeatable.")
    ] = None,
    allow_url: Annotated[
        list[str] | None,
        typer.Option(
            help="Address below which rasters may be asked about, such as https://host/cogs/. Repeatable."
        ),
    ] = None,
    host_name: Annotated[
        list[str] | None, typer.Option(help="Name by which clients may call the service. Repeatable.")
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Web page that may call the service, such as https://gis.example. Repeatable."),
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="The service's address as clients see it, behind a proxy.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Jobs answered at the same time.", min=1)] = 2,
    queue: Annotated[
        int, typer.Option(help="Jobs that may wait or run; more are refused (429).", min=1)
    ] = 64,
    max_upload_mb: Annotated[int, typer.Option(help="Largest request body, in MB.", min=1)] = 256,
    max_tiles: Annotated[int, typer.Option(help="Most tiles of one job.", min=1)] = 100_000,
    keep_scenes_hours: Annotated[
        float, typer.Option(help="How long an uploaded scene is kept after its last use.")
    ] = 24,
    keep_jobs_days: Annotated[float, typer.Option(help="How long a job is kept after it ended.")] = 30,
    log_level: Annotated[
        str, typer.Option(help="debug, info, warning or error. Logs are JSON lines on stderr.")
    ] = "warning",
    stop_with_stdin: Annotated[
        bool,
        typer.Option(
            "--stop-with-stdin",
            help="Stop when standard input ends, as Ctrl-C does: unfinished jobs go on at the next start. For a "
            "program that starts the service as its child and keeps a pipe open to it: however that program ends, the "
            "service ends with it. Not for a terminal, nor with < /dev/null.",
        ),
    ] = False,
) -> None:
    """Answer questions over HTTP: for QGIS, scripts and other GIS. On this computer only, unless told otherwise."""
    terminal = Terminal()
    with said_as_sentences(terminal):
        try:
            from groundproof.service.settings import MIB, Limits, ServiceSettings, default_data_dir
        except ImportError as err:
            raise UsageError(
                f"The service needs more packages ({err}): pip install 'groundproof[serve]'"
            ) from err
        token = _token(token_env)
        limits = Limits(queue=queue, upload_bytes=max_upload_mb * MIB, tiles=max_tiles)
        settings = ServiceSettings(
            data_dir=data_dir or default_data_dir(),
            token=SecretStr(token),
            model=model,
            device=device,
            host=host,
            port=port,
            public_url=public_url,
            hosts=tuple(host_name or ()),
            origins=tuple(origin or ()),
            roots=tuple(root.resolve() for root in allow_root or ()),
            url_prefixes=tuple(allow_url or ()),
            workers=workers,
            keep_scenes_hours=keep_scenes_hours,
            keep_jobs_days=keep_jobs_days,
            limits=limits,
        )
        if token_env is None and not settings.is_loopback:
            raise UsageError(
                f"--host {host} can be reached from other computers, so the token must be yours. Put one of at least "
                f"{MIN_TOKEN} characters into an environment variable and name it: --token-env GROUNDPROOF_TOKEN."
            )
        _run(
            settings,
            terminal,
            log_level,
            shown_token=None if token_env else token,
            stop_with_stdin=stop_with_stdin,
        )


def _token(variable: str | None) -> str:
    if variable is None:
        return secrets.token_urlsafe(24)
    token = os.environ.get(variable, "")
    if len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"The environment variable {variable} holds {len(token)} characters. A token has at least {MIN_TOKEN} "
            "ASCII characters without spaces; `openssl rand -hex 24` prints one."
        )
    return token


def _run(
    settings: ServiceSettings,
    terminal: Terminal,
    log_level: str,
    *,
    shown_token: str | None,
    stop_with_stdin: bool,
) -> None:
    import socket

    import uvicorn

    from groundproof.models.resolve import resolve
    from groundproof.service.app import create_app
    from groundproof.service.logs import configure

    if log_level not in ("debug", "info", "warning", "error"):
        raise UsageError(f"--log-level {log_level!r} is not debug, info, warning or error.")
    resolve(settings.model)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as err:
        raise UsageError(
            f"Cannot listen on {settings.host}, port {settings.port}: {err.strerror or err}. "
            "Stop the program that uses it, or give another --port (0 takes a free one)."
        ) from err
    port = listener.getsockname()[1]
    settings = settings.model_copy(update={"port": port})
    app = create_app(settings)
    configure(log_level)
    shown_host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = settings.public_url or f"http://{shown_host}:{port}"
    terminal.out.print(f"groundproof serves {settings.model} at {address}")
    if shown_token is not None:
        terminal.out.print(f"In a browser    {address}/?token={shown_token}")
        terminal.out.print(f"In a script     Authorization: Bearer {shown_token}")
        terminal.out.print("                (another one at the next start; --token-env keeps yours)")
    terminal.out.print(f"Kept in         {settings.data_dir}")
    terminal.out.print("The model is being loaded; the first answer waits for it.")
    how = "by closing its standard input" if stop_with_stdin else "with Ctrl-C"
    terminal.out.print(f"Stop {how}; unfinished jobs go on at the next start.")
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_S
    )
    server = uvicorn.Server(config)
    if stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_stdin, args=(server,), name="stdin", daemon=True).start()
    server.run(sockets=[listener])


def _stop_at_end_of_stdin(server: uvicorn.Server) -> None:
    """Wait until standard input ends, then let the server finish as an interrupt does, without its exit code.

    Reads the descriptor and not `sys.stdin`, whose lock a thread must not hold while the interpreter ends.
    """
    if sys.stdin is not None:  # None: started without one, so there is nobody to outlive
        descriptor = sys.stdin.fileno()
        try:
            while os.read(descriptor, 1 << 16):
                pass
        except OSError:
            pass  # a pipe that breaks has ended, too
    server.should_exit = True
