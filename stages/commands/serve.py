"""`emobed serve`: recognisers behind a local web page and a small HTTP interface."""

from __future__ import annotations

import ipaddress
import logging
import socket
from pathlib import Path
from typing import Annotated

import typer

from pipeline import __name__ as LIBRARY  # noqa: N812  (in a wheel `emobed.pipeline`)
from stages.commands.session import LONGEST, sentences

STOP_WITHIN = 5
"""Seconds that sessions have to end after Ctrl-C."""
STARTING = 600.0
"""Seconds that the recognisers may take to be loaded, on a busy machine from a slow disk."""


def serve(
    recognisers: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECOGNISER...",
            help="folders of recognisers (each has a recogniser.json)",
            show_default=False,
        ),
    ],
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="where to listen; by itself only this machine reaches the page, by 0.0.0.0 everybody does",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="N", help="where to listen; 0 takes any that is free")
    ] = 8010,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="a name by which the server is asked, such as that of a reverse proxy; may be repeated",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="what networks run on: cpu, cuda or auto")
    ] = "cpu",
    max_mb: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, metavar="MB", help="largest upload")
    ] = 100.0,
    time_limit: Annotated[
        float,
        typer.Option(
            min=1.0, max=LONGEST, metavar="SECONDS", help="longest upload, and again longest prediction of it"
        ),
    ] = 120.0,
    sessions: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="uploads that are predicted at once, and as many live sessions"
        ),
    ] = 2,
    live_limit: Annotated[
        float, typer.Option(min=1.0, max=LONGEST, metavar="SECONDS", help="longest live session")
    ] = 3600.0,
    live_window: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=LONGEST,
            metavar="SECONDS",
            help="live, recognisers of utterances take every so many seconds as an utterance",
        ),
    ] = 3.0,
    live_hop: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=LONGEST,
            metavar="SECONDS",
            help="from the start of one such utterance to that of the next",
        ),
    ] = 1.0,
    enrol: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="everybody is the speaker whose recordings lie there", show_default=False
        ),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="everybody is this speaker, whom `emobed enrol` knows", show_default=False
        ),
    ] = None,
) -> None:
    """Predict uploads and microphones on a web page.

    The page is that of this machine alone, until --host says otherwise. Nothing of what is sent is stored,
    and the page loads nothing from elsewhere. Whoever is heard or seen
    must be told. Programs ask POST /predict; behind a reverse proxy, what is logged: docs/serve.md.

    Exit codes: 1 a recogniser cannot be used, or the address not be listened on; 130 stopped by Ctrl-C.
    """
    with sentences():
        # imported here, so that `emobed --help` waits for nothing
        from importlib.metadata import version

        import uvicorn

        from pipeline.predicting.options import Options, known_speaker
        from pipeline.serving.app import application
        from pipeline.serving.folders import Folders
        from pipeline.serving.limits import LARGEST_MESSAGE, Limits
        from pipeline.serving.streams import LiveTimes

        limits = Limits(round(max_mb * 1e6), time_limit, sessions, live_limit)
        asked = Options(device=device, time_limit=time_limit, enrol=enrol, speaker=speaker)
        Folders.read(recognisers)  # before anything that takes time
        listening = _listen(host, port)
        known = known_speaker(recognisers, asked, _say)
        served = Folders.read(recognisers, device, known, LiveTimes(live_window, live_hop)).load(STARTING)
        names = [*(name or ()), *([] if _own(host) else [host, socket.gethostname()])]
        app = application(served, limits, version("emobed"), names)
        if not _own(host):
            _say(
                f"warning: {host} is reached from other machines, without a password and in plain text; "
                "docs/serve.md says how to put it behind a reverse proxy"
            )
        logging.getLogger(f"{LIBRARY}.serving").setLevel(logging.INFO)
        _say(f"{_address(listening)} (Ctrl-C ends it)")
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,  # addresses of people
            server_header=False,
            proxy_headers=False,
            ws_max_size=LARGEST_MESSAGE,
            timeout_graceful_shutdown=STOP_WITHIN,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _say(sentence: str) -> None:
    typer.echo(f"serve: {sentence}", err=True)


def _listen(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        ValueError: which, and why not.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ValueError(
            f"--host {host} --port {port}: cannot be listened on ({error.strerror}); expected an address of "
            "this machine and a free port (0: any)"
        ) from None


def _own(host: str) -> bool:
    """Say whether an address is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
