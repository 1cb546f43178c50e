from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True
INSTALLED_APPS = ("pages", "posts")

MIDDLEWARE_CLASSES = ("torngas.middleware.accesslog.AccessLogMiddleware",)

TORNADO_CONF = {
    "static_path": str(PROJECT_PATH / "static"),
    "template_path": str(PROJECT_PATH / "templates"),
    "xsrf_cookies": True,
    "login_url": "/login",
}

LOGGING_DIR = PROJECT_PATH / "logs"
