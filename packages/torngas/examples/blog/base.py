"""What all pages of the blog share."""

from tornado import locale

from torngas.handler import ErrorHandler, WebHandler
from torngas.mixins.flash_message import FlashMessageMixIn

LANGUAGES = {"en_US": "English", "zh_CN": "中文"}


class Page(FlashMessageMixIn, WebHandler):
    """A page: the user from the session, the language from a cookie or from the browser."""

    def get_current_user(self):
        return self.session["account"]

    def get_user_locale(self):
        chosen = self.get_cookie("language")
        return locale.get(chosen) if chosen in LANGUAGES else None

    def get_template_namespace(self):
        return {**super().get_template_namespace(), "languages": LANGUAGES, "errors": {}, "values": {}}

    def write_error(self, status_code, **kwargs):
        if self.settings.get("serve_traceback") and status_code >= 500:
            super().write_error(status_code, **kwargs)
        else:
            self.render("error.html", status=status_code, phrase=self._reason)

    def form(self, *names):
        return {name: self.get_body_argument(name, "") for name in names}


class Nowhere(Page, ErrorHandler):
    """Where no address matches: the blog's own page says so."""
