"""The server: from the command line to a listening application.

    from torngas.webserver import run

    run()

or step by step:

    server = Server()
    server.parse_command()          # after the program's own define(...) calls
    server.load_urls()
    server.load_application()       # None, a subclass of torngas.application.Application, or an instance
    server.server_start()           # binds, serves, returns when the server was stopped

A wrong setting, option or app ends the program with one clear line and status 1; `--debug` shows the traceback.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeGuard, TypeVar

import tornado
from tornado import autoreload
from tornado.ioloop import IOLoop
from tornado.options import Error as OptionsError
from tornado.options import OptionParser
from tornado.options import options as tornado_options

from torngas._binding import Place, tls_context
from torngas._errors import STARTUP_ERRORS, ending_the_program
from torngas._serving import GracefulHTTPServer, serve_until_stopped
from torngas._workers import Supervisor, worker_number
from torngas.application import Application
from torngas.exception import ArgumentError, ConfigError
from torngas.observe.multiprocess import SharedMetrics
from torngas.options import define_options
from torngas.settings_manager import Settings, load_settings, settings
from torngas.wiring.application import build_application
from torngas.wiring.check import check_settings
from torngas.wiring.logs import configure_logging
from torngas.wiring.urls import load_urls
from torngas_cache import caches
from torngas_logger import LoggingSetup

__all__ = ["Server", "run"]

P = ParamSpec("P")
R = TypeVar("R")


def _clearly(method: Callable[P, R]) -> Callable[P, R]:
    """Lets the framework's errors, uncaught, end the program with their message alone (unless --debug)."""

    @functools.wraps(method)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except STARTUP_ERRORS as error:
            if "--debug" in sys.argv:
                raise
            raise ending_the_program(error) from error.__cause__

    return inner


class Server:
    """One HTTP server of one application.

    Args:
        ioloop: The loop to serve on; None makes one in `start`, and none exists before.
        settings: The settings to use; None reads them as the command line and the environment say.

    Attributes:
        urls: What `load_urls` found.
        application: What `load_application` made.
        httpserver: What `load_httpserver` made.
        settings: The settings in use, known after `parse_command`.

    Not thread-safe: a server belongs to the thread that starts it.
    """

    def __init__(self, ioloop: IOLoop | None = None, *, settings: Settings | None = None) -> None:
        self.ioloop = ioloop
        self.settings = settings
        self.urls: list[Any] = []
        self.application: Application | None = None
        self.httpserver: GracefulHTTPServer | None = None
        self._sockets: list[socket.socket] = []
        self._listening = False
        self._supervises = False
        self._logging: LoggingSetup | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def options(self) -> OptionParser:
        """The parser of the command line."""
        return tornado_options

    def define(self) -> None:
        """Defines the command line's options; a subclass may add its own."""
        define_options(self.options)

    @_clearly
    def parse_command(self, args: list[str] | None = None, final: bool = False) -> list[str]:
        """Reads the command line, then the settings that it names, and sets up logging.

        Args:
            args: The program's name and its arguments; None takes `sys.argv`.
            final: Also run the callbacks that were registered with `tornado.options`.

        Returns:
            The arguments that are no options.

        Raises:
            ConfigError: an option is unknown or has a wrong value, or the settings module does not import.
        """
        self.define()
        try:
            rest = self.options.parse_command_line(args, final=final)
        except OptionsError as error:
            raise ConfigError(f"command line: {error}; --help lists them") from error
        chosen = self._load_settings(self.options.settings)
        self._close_logging()
        self._logging = configure_logging(chosen, self.options)
        return rest

    def _close_logging(self) -> None:
        if self._logging is not None:
            self._logging.close()
            self._logging = None

    def _load_settings(self, module: str) -> Settings:
        if self.settings is None:
            if module:
                self.settings = load_settings(module)
            else:
                settings.reset()
                self.settings = settings.current
        check_settings(self.settings)
        settings.configure(self.settings)
        return self.settings

    @property
    def _chosen(self) -> Settings:
        return self.settings if self.settings is not None else settings.current

    @_clearly
    def load_urls(self) -> list[Any]:
        """Imports `<app>.urls` of every installed app and answers the routes, in order.

        Raises:
            ConfigError: no app is installed, one stands twice, does not import, or has no `urls`.
            UrlError: a route is wrong.
        """
        self.urls = load_urls(self._chosen)
        return self.urls

    @_clearly
    def load_application(self, application: type[Application] | Application | None = None) -> Application:
        """Makes the application from the settings and the routes; an instance is used as it is.

        Raises:
            ArgumentError: it is neither a subclass nor an instance of `torngas.application.Application`.
            ConfigError: a setting is wrong.
        """
        if isinstance(application, Application):
            self.application = application
        elif application is None or _is_application_class(application):
            self.application = build_application(application or Application, self._chosen, self.urls)
            self._show_to_the_process(self.application)
        else:
            raise ArgumentError(
                f"Server.load_application: got {application!r}; expected None, a subclass or an instance of "
                "torngas.application.Application (tornado.web.Application knows neither settings nor middlewares)"
            )
        return self.application

    @staticmethod
    def _show_to_the_process(application: Application) -> None:
        """Outside of requests, too, `torngas.cache` and the models are those of the application that is served."""
        if application.resources is not None:
            caches.replace(application.resources.caches)
            if (connector := application.resources.connector) is not None:
                from torngas_dbalchemy import configure

                configure(connector)

    @_clearly
    def load_httpserver(self, sockets: Sequence[socket.socket] | None = None, **kwargs: Any) -> GracefulHTTPServer:
        """Makes the HTTP server and binds its sockets; it accepts when the loop runs.

        Args:
            sockets: Bound sockets to use; None binds `--address` and `--port`.
            **kwargs: `backlog`, `reuse_port`, `flags` go to the binding, all else to `tornado.httpserver.HTTPServer`.

        Raises:
            ConfigError: the port is in use or may not be bound, or the address is unknown.
            ArgumentError: HTTPServer does not know a keyword.
        """
        binding: dict[str, Any] = {
            name: kwargs.pop(name) for name in ("backlog", "reuse_port", "flags") if name in kwargs
        }
        self.httpserver = self._make_httpserver(kwargs)
        self._sockets = self._bind(binding) if sockets is None else list(sockets)
        self._supervises = sockets is None and self._processes > 1 and worker_number() is None
        if not self._supervises:
            self._listen_if_possible()
        return self.httpserver

    @property
    def _processes(self) -> int:
        self.define()
        return int(self.options.processes)

    def _bind(self, binding: dict[str, Any]) -> list[socket.socket]:
        self.define()
        family = socket.AF_INET if self._chosen.IPV4_ONLY else socket.AF_UNSPEC
        place = Place(self.options.address, self.options.port, self.options.unix_socket, family)
        if self._processes == 1:
            return place.bind(**binding)
        return place.reserve() if worker_number() is None else place.bind(**{**binding, "reuse_port": True})

    def _make_httpserver(self, kwargs: dict[str, Any]) -> GracefulHTTPServer:
        if self.application is None:
            raise ArgumentError("Server.load_httpserver: got no application; call load_application() first")
        self.define()
        chosen = self._chosen
        kwargs.setdefault("xheaders", chosen.XHEADERS)
        if context := tls_context(self.options.certfile, self.options.keyfile):
            kwargs.setdefault("ssl_options", context)
        if chosen.TRUSTED_DOWNSTREAM:
            kwargs.setdefault("trusted_downstream", list(chosen.TRUSTED_DOWNSTREAM))
        try:
            return GracefulHTTPServer(self.application, **kwargs)
        except TypeError as error:
            raise ArgumentError(
                f"Server: got the keywords {sorted(kwargs)}; expected those of tornado.httpserver.HTTPServer, and "
                f"backlog, reuse_port, flags ({error})"
            ) from error

    def _listen_if_possible(self) -> None:
        """Starts to accept at once on a loop that was given or that runs; else `start` does."""
        if self.ioloop is not None:
            self.ioloop.add_callback(self._listen)
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._listen()

    def _listen(self) -> None:
        if not self._listening and self.httpserver is not None:
            self._listening = True
            self.httpserver.add_sockets(self._sockets)

    def load_all(
        self,
        application: type[Application] | Application | None = None,
        sockets: Sequence[socket.socket] | None = None,
        **kwargs: Any,
    ) -> None:
        """Parses the command line and loads routes, application and HTTP server; `start` serves.

        The arguments are those of `load_application` and `load_httpserver`, and so are the errors.
        """
        self.parse_command()
        if not isinstance(application, Application):  # an instance has its routes
            self.load_urls()
        self.load_application(application)
        self.load_httpserver(sockets, **kwargs)

    def server_start(self, sockets: Sequence[socket.socket] | None = None, **kwargs: Any) -> None:
        """Loads the HTTP server unless it is loaded, and serves until stopped; arguments as in `load_httpserver`."""
        if self.httpserver is None:
            self.load_httpserver(sockets, **kwargs)
        self.start()

    @_clearly
    def start(self) -> None:
        """Serves until SIGTERM, SIGINT or `stop`; requests in flight get `SHUTDOWN_TIMEOUT` seconds to end.

        With DEBUG it prints what was loaded and where the server listens, and reloads when code changes.
        """
        if self.httpserver is None:
            raise ArgumentError("Server.start: got no HTTP server; call load_httpserver() or load_all() first")
        if self._chosen.DEBUG and worker_number() is None:
            self._print_banner()
        if self._supervises:
            self._supervise()
        elif self.ioloop is not None:
            self.ioloop.start()
        else:
            asyncio.run(self._serve(self.httpserver))

    def _supervise(self) -> None:
        timeout = self._chosen.SHUTDOWN_TIMEOUT + self._chosen.SHUTDOWN_DELAY + 1
        counts = self.application is not None and "metrics" in self.application.settings
        with SharedMetrics(counts) as shared:
            Supervisor(self._processes, timeout=timeout, environ=shared.environ, ended=shared.ended).run()

    def stop(self) -> None:
        """Ends `start` as SIGTERM does; from any thread, and without effect when nothing is served."""
        if self._running is not None:
            loop, stopped = self._running
            loop.call_soon_threadsafe(stopped.set)

    async def _serve(self, httpserver: GracefulHTTPServer) -> None:
        stopped = asyncio.Event()
        self._running = asyncio.get_running_loop(), stopped
        if self._reloads:
            autoreload.start()
        try:
            await serve_until_stopped(
                httpserver,
                self._listen,
                timeout=self._chosen.SHUTDOWN_TIMEOUT,
                delay=self._chosen.SHUTDOWN_DELAY,
                stopped=stopped,
                on_stop=self._not_ready,
                cleanup=self.application.aclose if self.application else None,
            )
        finally:
            self._running = None

    def _not_ready(self) -> None:
        if self.application is not None:
            self.application.ready = False

    @property
    def _reloads(self) -> bool:
        return bool(self._chosen.TORNADO_CONF.get("autoreload", self._chosen.DEBUG))

    def _print_banner(self) -> None:
        chosen = self._chosen
        engine = chosen.TEMPLATE_CONFIG.template_engine or "tornado.template"
        for line in (
            f"tornado version: {tornado.version}",
            f"locale support: {bool(chosen.TRANSLATIONS)}",
            f"load apps: {', '.join(map(str, chosen.INSTALLED_APPS)) or 'none'}",
            f"template engine: {engine}",
            f"server started. development server at {self._address()}",
        ):
            print(line, flush=True)  # noqa: T201 - the documented banner

    def _address(self) -> str:
        scheme = "https" if self.options.certfile else "http"
        if self._supervises:
            return f"{scheme}://{self.options.address}:{self.options.port}/"
        return ", ".join(_url(scheme, one.getsockname()) for one in self._sockets)


def _is_application_class(given: Any) -> TypeGuard[type[Application]]:
    return isinstance(given, type) and issubclass(given, Application)


def _url(scheme: str, name: Any) -> str:
    if not isinstance(name, tuple):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{scheme}://{host}:{name[1]}/"


def run(
    application: type[Application] | Application | None = None,
    sockets: Sequence[socket.socket] | None = None,
    **kwargs: Any,
) -> None:
    """Serves what the command line and the settings say, until stopped; `Server.load_all` and `start` in one.

    The settings module comes from `--settings=`, else from the environment variable `TORNGAS_APP_SETTINGS`.
    """
    server = Server()
    server.load_all(application, sockets, **kwargs)
    server.start()
