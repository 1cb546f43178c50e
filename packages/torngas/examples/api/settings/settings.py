"""Development: notes in memory, no pages but the documentation's."""

from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True
INSTALLED_APPS = ("notes", "torngas.api")
OPENAPI = {
    "title": "Notes",
    "version": "1.0.0",
    "description": "A small API: notes in the memory of one process.",
    "tags": {"notes": "Reading and writing notes.", "feedback": "A form."},
}

MIDDLEWARE_CLASSES = (
    "torngas_middleware.RequestIdMiddleware",
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
)

TORNADO_CONF = {
    "xsrf_cookies": False,  # a typed body must be JSON, which no other site's form can send
    "default_handler_class": "base.Nowhere",
}

LOGGING_DIR = PROJECT_PATH / "logs"
