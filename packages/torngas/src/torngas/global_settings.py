"""The default of every setting that the framework knows.

A settings module's upper-case names replace these one by one and whole; options left out of `SESSION` and
`TEMPLATE_CONFIG` keep their defaults all the same. No secret stands here: see `TORNADO_CONF`.
"""

# Shows errors in the browser, reloads changed code, and generates missing secrets for the process. Switch it off
# in production; start-up then refuses to go on without a `cookie_secret`.
DEBUG = True

# Hosts on which DEBUG shows its error page; every other one gets the plain page.
DEBUG_HOSTS = ("localhost", "127.0.0.1", "::1")

# Takes the client's address from X-Real-Ip or X-Forwarded-For, if the peer is in TRUSTED_DOWNSTREAM.
XHEADERS = False
# Addresses of the proxies in front; "unix:" stands for the peers of a unix socket.
TRUSTED_DOWNSTREAM = ()
# Listens on IPv4 addresses only, where the address is a name or empty.
IPV4_ONLY = True

# Handed to tornado.web.Application as it is. `etag` (True, "auto", False), `json` ("orjson", "msgspec", a function) and
# `short_path` (False: Tornado's own way) are ours: see Performance. `cookie_secret` has no default:
#   python -c 'import secrets; print(secrets.token_urlsafe(32))'
TORNADO_CONF = {
    "static_path": "static",
    "xsrf_cookies": True,
    "login_url": "/login",
    "template_path": "templates",
}

# Dotted paths, outermost first.
MIDDLEWARE_CLASSES = (
    "torngas.middleware.accesslog.AccessLogMiddleware",
    "torngas.httpmodule.httpmodule.HttpModuleMiddleware",
)

# Import names of the apps; `<app>.urls.urls` (or `URLS`) of each is loaded, in this order.
INSTALLED_APPS = ()

# HTTP modules for every request, and for chosen routes by name or regular expression.
COMMON_MODULES = ()
ROUTE_MODULES: dict[str, list[str]] = {}

CACHES = {
    "default": {
        "BACKEND": "torngas.cache.backends.localcache.LocMemCache",
        "LOCATION": "process_cache",
        "OPTIONS": {"MAX_ENTRIES": 10000, "CULL_FREQUENCY": 3},
    },
    "default_memcache": {
        "BACKEND": "torngas.cache.backends.memcached.MemcachedCache",
        "LOCATION": ["127.0.0.1:11211"],
        "TIMEOUT": 300,
    },
    "dummy": {
        "BACKEND": "torngas.cache.backends.dummy.DummyCache",
    },
    "default_redis": {
        "BACKEND": "torngas.cache.backends.rediscache.RedisCache",
        "LOCATION": "127.0.0.1:6379",
        "OPTIONS": {"DB": 0, "PING_INTERVAL": 120},
    },
}

SESSION = {
    "session_cache_alias": "default",
    "session_name": "__TORNADOSSID",
    "cookie_domain": "",
    "cookie_path": "/",
    "expires": 0,  # seconds; 0 ends with the browser
    "ignore_change_ip": False,
    "httponly": True,
    "secure": None,  # None: by the request's scheme
    "secret_key": "",  # empty: TORNADO_CONF's cookie_secret
    "session_version": "1",
}

TEMPLATE_CONFIG = {
    "template_engine": None,
    "filesystem_checks": True,
    "cache_directory": "../_tmpl_cache",
    "collection_size": 50,
    "cache_size": 400,
    "format_exceptions": False,
    "autoescape": True,
}

TRANSLATIONS = False
TRANSLATIONS_CONF = {
    "translations_dir": "translations",
    "locale_default": "zh_CN",
    "use_accept_language": True,
}

# What the OpenAPI document says of the whole API: title, version, description, servers (addresses), tags (descriptions
# by name). "torngas.api" in INSTALLED_APPS serves it at /openapi.json, and a page for people at /docs.
OPENAPI: dict[str, object] = {}

# Addresses and networks that handlers decorated with a bare @whitelisted admit; False admits nobody.
WHITELIST = False

LOGGING_DIR = "logs/"
LOGGING = (
    {
        "name": "tornado",
        "level": "INFO",
        "log_to_stderr": False,
        "when": "midnight",
        "interval": 1,
        "filename": "tornado.log",
    },
    {
        "name": "torngas.tracelog",
        "level": "ERROR",
        "log_to_stderr": False,
        "when": "midnight",
        "interval": 1,
        "filename": "torngas_trace_log.log",
    },
    {
        "name": "torngas.accesslog",
        "level": "INFO",
        "log_to_stderr": True,
        "when": "midnight",
        "interval": 1,
        "filename": "torngas_access_log.log",
        "formatter": "%(message)s",
    },
    {
        "name": "torngas.infolog",
        "level": "INFO",
        "log_to_stderr": False,
        "when": "midnight",
        "interval": 1,
        "filename": "torngas_info_log.log",
    },
)

DATABASE_CONNECTION: dict[str, dict[str, object]] = {}
DATABASE_ROUTERS = ()
PING_DB = 500  # seconds; 0 never
PING_CONN_COUNT = 5
SQLALCHEMY_CONFIGURATION = {
    "sqlalchemy.echo": False,
    "sqlalchemy.max_overflow": 10,
    "sqlalchemy.pool_timeout": 5,
    "sqlalchemy.pool_size": 5,
    "sqlalchemy.pool_recycle": 3600,
    "sqlalchemy.poolclass": "QueuePool",
}

# Threads of the pool behind `async_execute`; None is the number of CPUs.
THREADS_NUM = None

# Seconds that requests in flight get after SIGTERM.
SHUTDOWN_TIMEOUT = 30
# Seconds between `application.ready` turning False and the end of accepting: time for a load balancer to notice.
SHUTDOWN_DELAY = 0

# /readyz of torngas.observe: seconds for all checks together, seconds for which a report is shown again (0: never), the
# aliases to check (None: all that are configured), and checks of your own: name -> a function or its dotted path.
HEALTH_CONFIG: dict[str, object] = {"timeout": 2, "max_age": 0, "caches": None, "databases": None, "checks": {}}
# Options of torngas.observe.metrics.MetricsMiddleware: namespace, buckets, response_size, registry.
METRICS_CONFIG: dict[str, object] = {}
# Options of torngas.observe.tracing.TracingMiddleware: caches, queries, templates, provider; {"enabled": False} leaves
# it out of the application.
TRACING_CONFIG: dict[str, object] = {"enabled": True}
# Seconds from which on torngas.observe.profiling.ProfilingMiddleware logs a request with its queries; None never.
SLOW_REQUEST_SECONDS = 1.0
