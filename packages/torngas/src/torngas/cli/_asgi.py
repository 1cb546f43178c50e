"""The command lines of ASGI servers, from the options of `torngas runserver` and the settings."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import click

from torngas.settings_manager import Settings

__all__ = ["SERVERS", "Listening", "command_line"]

_FACTORY = "torngas.asgi:get_asgi_application"
_OPTIONS = ("processes", "unix_socket", "certfile", "keyfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how a server listens.

    Args:
        address: Of this machine.
        port: 0 takes a free one, where the server can.
        processes: How many workers.
        unix_socket: Its path; "" listens on address and port.
        certfile: PEM; "" is no TLS.
        keyfile: PEM; "" if the certificate's file holds the key.
    """

    address: str
    port: int
    processes: int = 1
    unix_socket: str = ""
    certfile: str = ""
    keyfile: str = ""

    @classmethod
    def of(cls, server: str, address: str, port: int, options: Iterable[str]) -> Listening:
        """Reads `--name=value` options.

        Raises:
            click.UsageError: an option cannot be passed on to an ASGI server, or has a wrong value.
        """
        found: dict[str, str] = {}
        for option in options:
            name, _, value = option.removeprefix("--").partition("=")
            if name not in _OPTIONS or not value:
                raise click.UsageError(
                    f"--server {server}: got {option!r}; expected of "
                    + ", ".join(f"--{known}=" for known in _OPTIONS)
                    + " only: all else is the server's own, which is started by hand for it, e.g. uvicorn "
                    f"--factory {_FACTORY}"
                )
            found[name] = value
        processes = found.pop("processes", "1")
        if not processes.isdigit() or int(processes) < 1:
            raise click.UsageError(f"--processes: got {processes!r}; expected a number from 1 on")
        return cls(address=address, port=port, processes=int(processes), **found)

    @property
    def place(self) -> str:
        """Address and port as one word."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def command_line(server: str, listening: Listening, settings: Settings) -> list[str]:
    """The program and arguments that serve the project; the settings' name is expected in the environment.

    Raises:
        click.ClickException: the server is not installed, or cannot do what is asked.
    """
    if importlib.util.find_spec(server) is None:
        wanted = "'torngas[asgi]'" if server == "uvicorn" else server
        raise click.ClickException(f"--server {server}: {server} is not installed; pip install {wanted}")
    if listening.port == 0 and not listening.unix_socket and (server == "granian" or listening.processes > 1):
        raise click.ClickException(
            f"--server {server}: got --port=0 with {listening.processes} process(es); expected a port's number, "
            "because the workers bind it each for itself"
        )
    module = "torngas.asgi.onewrite" if server == "uvicorn" else server
    return [sys.executable, "-m", module, *SERVERS[server](listening, settings)]


def _given(**options: object) -> list[str]:
    """`--name=value` for each that has a value."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value not in (None, "")]


def _reloads(listening: Listening, settings: Settings) -> bool:
    return listening.processes == 1 and bool(settings.TORNADO_CONF.get("autoreload", settings.DEBUG))


def _uvicorn(listening: Listening, settings: Settings) -> list[str]:
    unix = listening.unix_socket
    return [
        _FACTORY,
        "--factory",
        # Trust is XHEADERS and TRUSTED_DOWNSTREAM, and the access log is the application's.
        "--no-proxy-headers",
        "--no-access-log",
        "--no-server-header",
        *(["--reload"] if _reloads(listening, settings) else []),
        *_given(
            host=None if unix else listening.address,
            port=None if unix else listening.port,
            uds=unix,
            workers=None if listening.processes == 1 else listening.processes,
            ssl_certfile=listening.certfile,
            ssl_keyfile=listening.keyfile,
            timeout_graceful_shutdown=math.ceil(settings.SHUTDOWN_TIMEOUT),
            ws_max_size=settings.TORNADO_CONF.get("websocket_max_message_size"),
            ws_ping_interval=settings.TORNADO_CONF.get("websocket_ping_interval"),
            ws_ping_timeout=settings.TORNADO_CONF.get("websocket_ping_timeout"),
        ),
    ]


def _hypercorn(listening: Listening, settings: Settings) -> list[str]:
    return [
        f"{_FACTORY}()",
        *(["--reload"] if _reloads(listening, settings) else []),
        *_given(
            bind=f"unix:{listening.unix_socket}" if listening.unix_socket else listening.place,
            workers=listening.processes,
            certfile=listening.certfile,
            keyfile=listening.keyfile or listening.certfile,
            graceful_timeout=math.ceil(settings.SHUTDOWN_TIMEOUT),
            websocket_ping_interval=settings.TORNADO_CONF.get("websocket_ping_interval"),
        ),
    ]


def _granian(listening: Listening, settings: Settings) -> list[str]:
    unix = listening.unix_socket
    return [
        _FACTORY,
        "--factory",
        "--interface=asgi",
        *_given(
            host=None if unix else listening.address,
            port=None if unix else listening.port,
            uds=unix,
            workers=listening.processes,
            ssl_certificate=listening.certfile,
            ssl_keyfile=listening.keyfile or listening.certfile,
            workers_kill_timeout=max(1, math.ceil(settings.SHUTDOWN_TIMEOUT)),
        ),
    ]


SERVERS: dict[str, Callable[[Listening, Settings], list[str]]] = {
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
    "granian": _granian,
}
