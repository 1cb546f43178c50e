"""Settings for production: what differs from development."""

import os

from settings.settings import *  # noqa: F403
from settings.settings import TORNADO_CONF as _DEVELOPMENT

DEBUG = False

TORNADO_CONF = {**_DEVELOPMENT, "cookie_secret": os.environ.get("COOKIE_SECRET", "")}
