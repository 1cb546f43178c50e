"""Registering, logging in and out."""

from base import Page
from sqlalchemy.exc import IntegrityError

from accounts.models import User
from torngas.decorators.async_execute import async_execute
from torngas_httpmodule import safe_next
from torngas_session import login, logout


class Account(Page):
    """A form with a name and a password; `enter` logs its user in."""

    def enter(self, account):
        login(self, account["id"])
        self.session["account"] = account
        self.flash(self.locale.translate("Welcome, %s.") % account["name"], "success")
        self.redirect(safe_next(self.get_argument("next", "/")))


class Register(Account):
    def get(self):
        self.render("account.html", title="Register")

    async def post(self):
        values = self.form("name", "password")
        errors = {}
        if not 2 <= len(values["name"].strip()) <= 40:
            errors["name"] = "2 to 40 characters, please."
        if len(values["password"]) < 8:
            errors["password"] = "8 characters or more, please."
        account = None if errors else await self.create(values["name"].strip(), values["password"])
        if account is None:
            errors = errors or {"name": "This name is taken."}
            self.set_status(422)
            self.render("account.html", title="Register", errors=errors, values=values)
        else:
            self.enter(account)

    @async_execute
    def create(self, name, password):
        session = User.session.using_master()
        user = User(name=name)
        user.set_password(password)
        session.add(user)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            return None
        return {"id": user.id, "name": user.name, "staff": user.staff}


class Login(Account):
    def get(self):
        self.render("account.html", title="Log in")

    async def post(self):
        values = self.form("name", "password")
        account = await self.find(values["name"].strip(), values["password"])
        if account is None:
            self.set_status(422)
            errors = {"name": "No user with this name and password."}
            self.render("account.html", title="Log in", errors=errors, values=values)
        else:
            self.enter(account)

    @async_execute
    def find(self, name, password):
        user = User.Q.filter_by(name=name).first()
        known = user or User(name="", password="00:00")  # as much work for a name that does not exist
        if not known.has_password(password) or user is None:
            return None
        return {"id": user.id, "name": user.name, "staff": user.staff}


class Logout(Page):
    def post(self):
        logout(self)
        self.redirect("/")


class Language(Page):
    def post(self):
        self.set_cookie("language", self.get_body_argument("language"), expires_days=365, samesite="Lax")
        self.redirect(safe_next(self.get_body_argument("next", "/")))
