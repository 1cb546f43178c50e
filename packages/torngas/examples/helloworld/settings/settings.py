"""Settings for development."""

from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True

INSTALLED_APPS = (
    "myapp1",
    "myapp2",
)

MIDDLEWARE_CLASSES = (
    # The access log stands first: its process_endcall runs last.
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "middlewares.greeting.GreetingMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
)

ROUTE_MODULES = {
    "^/usa": ["httpmodules.flag.FlagModule"],
}

LOGGING_DIR = PROJECT_PATH / "logs"

TORNADO_CONF = {
    "static_path": str(PROJECT_PATH / "statics"),
    "template_path": str(PROJECT_PATH / "templates"),
    "xsrf_cookies": True,
    "login_url": "/login",
}
