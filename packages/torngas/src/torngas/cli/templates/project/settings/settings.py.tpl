"""Settings for development; settings_online.py has what differs in production.

Every key can be overridden by the environment: TORNGAS_DEBUG=false, TORNGAS_LOGGING_DIR=/var/log/$name, …
"""

from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True

# Their urls.py are loaded in this order.
INSTALLED_APPS = ("home",)

# Outermost first.
MIDDLEWARE_CLASSES = (
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.middleware.session.SessionMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
)

TORNADO_CONF = {
    "static_path": str(PROJECT_PATH / "statics"),
    "template_path": str(PROJECT_PATH / "templates"),
    "xsrf_cookies": True,
    "cross_origin_protection": True,
    "login_url": "/login",
    # Of this computer; production reads its own from the environment.
    "cookie_secret": "$secret",
}

LOGGING_DIR = PROJECT_PATH / "logs"
