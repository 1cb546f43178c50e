"""Settings and routes -> an application."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from tornado.web import RequestHandler

from torngas.application import Application
from torngas.settings_manager import Settings
from torngas.static import StaticHandler
from torngas.wiring.dotted import named
from torngas.wiring.middlewares import build_middlewares
from torngas.wiring.resources import Resources
from torngas.wiring.templates import build_template_loader
from torngas.wiring.translations import load_translations
from torngas_middleware import AccessLogMiddleware

__all__ = ["build_application", "tornado_settings"]

A = TypeVar("A", bound=Application)


def build_application(kind: type[A], settings: Settings, urls: Iterable[Any]) -> A:
    """Makes an application of this class from the settings.

    Raises:
        ConfigError: a setting is wrong.
        UrlError: a route is wrong.
    """
    load_translations(settings)
    resources = Resources(settings)
    middlewares = build_middlewares(settings, resources)
    conf = tornado_settings(settings, resources.cookie_secret)
    if resources.watch is not None and resources.watch.wants("template"):
        from torngas.observe.templates import ObservedLoader

        conf["template_loader"] = ObservedLoader(conf["template_loader"], resources.watch)
    if any(one is AccessLogMiddleware or isinstance(one, AccessLogMiddleware) for one in middlewares):
        conf.setdefault("log_function", _already_logged)
    application = kind(
        list(urls),
        "",
        None,
        middlewares=middlewares,
        project_settings=settings,
        resources=resources,
        **conf,
    )
    application.on_shutdown(resources.aclose)
    return application


def tornado_settings(settings: Settings, secret: Any) -> dict[str, Any]:
    """Answers what `tornado.web.Application` gets: TORNADO_CONF, completed.

    `debug` comes from DEBUG unless it is given; reloading is the server's work, so that no event loop is made here.
    """
    conf: dict[str, Any] = copy.deepcopy(dict(settings.TORNADO_CONF))
    conf.setdefault("debug", settings.DEBUG)
    conf["autoreload"] = False
    conf["cookie_secret"] = secret
    given = conf.get("default_handler_class", "torngas.handler.ErrorHandler")
    conf["default_handler_class"] = named(
        "TORNADO_CONF['default_handler_class']", given, "a handler class or its dotted path"
    )
    conf.setdefault("static_handler_class", StaticHandler)
    conf.setdefault("template_loader", build_template_loader(settings))
    return conf


def _already_logged(handler: RequestHandler) -> None:
    """The access log's middleware has written a line of this request; Tornado's own would be a second one."""
