"""Settings for production: what differs from development.

COOKIE_SECRET=… python runserver.py --settings=settings.settings_online

Make the secret with: python -c 'import secrets; print(secrets.token_urlsafe(32))'
"""

import os

from settings.settings import *  # noqa: F403
from settings.settings import TORNADO_CONF as _DEVELOPMENT

DEBUG = False

TORNADO_CONF = {
    **_DEVELOPMENT,
    "cookie_secret": os.environ.get("COOKIE_SECRET", ""),
    "xsrf_cookie_kwargs": {"secure": True, "samesite": "Lax"},
}

# Only over HTTPS. Behind a proxy that ends TLS also set XHEADERS = True and TRUSTED_DOWNSTREAM = ("its address",).
SESSION = {"secure": True}
