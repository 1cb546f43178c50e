"""Development: SQLite beside this folder, caches and sessions in local memory."""

from pathlib import Path

PROJECT_PATH = Path(__file__).resolve().parent.parent

DEBUG = True
INSTALLED_APPS = ("accounts", "posts")

MIDDLEWARE_CLASSES = (
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.middleware.session.SessionMiddleware",
    "torngas.middleware.dbalchemy.DBAlchemyMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
    "torngas.middleware.signal.SignalMiddleware",
)
ROUTE_MODULES = {
    "^/staff": ["staff.modules.StaffOnly"],
    "^/write|^/posts/[0-9]+/edit": ["torngas_httpmodule.LoginRequiredModule"],
}

TORNADO_CONF = {
    "static_path": str(PROJECT_PATH / "static"),
    "template_path": str(PROJECT_PATH / "templates"),
    "xsrf_cookies": True,
    "login_url": "/login",
    "default_handler_class": "base.Nowhere",
}

DATABASE_CONNECTION = {
    "default": {"connections": [{"ROLE": "master", "URL": f"sqlite:///{PROJECT_PATH / 'blog.db'}"}]},
}
SESSION = {"session_name": "blog", "expires": 14 * 24 * 60 * 60, "rolling": True}

TRANSLATIONS = True
TRANSLATIONS_CONF = {"translations_dir": str(PROJECT_PATH / "translations"), "locale_default": "en_US"}

LOGGING_DIR = PROJECT_PATH / "logs"
