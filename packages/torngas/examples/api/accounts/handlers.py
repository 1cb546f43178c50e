"""Logging in for a token, looking at one's tokens, and ending them."""

from typing import Annotated

import msgspec
from base import Api

from accounts.security import ACCOUNTS, bearer, passwords, tokens
from torngas.api import Path, Problem, endpoint
from torngas.auth import AuthMixin, requires


class Credentials(msgspec.Struct, kw_only=True):
    """What a user knows, and what the token shall be good for."""

    name: Annotated[str, msgspec.Meta(max_length=50, examples=["ada"])]
    password: Annotated[str, msgspec.Meta(max_length=100, examples=["correct horse"])]
    may_write: bool = True


class Token(msgspec.Struct, kw_only=True):
    """A token; what it is itself stands only in the answer to the login."""

    id: str
    scopes: list[str]
    expires: float | None
    token: str | None = None


class AllTokens(AuthMixin, Api):
    auth = (bearer,)

    @endpoint(tags=["accounts"], status=201, responses={401: "The token is wrong.", 403: "Name or password is wrong."})
    async def post(self, body: Credentials) -> Token:
        """Log in for an hour.

        The token stands in the Authorization header of requests from now on, after the word Bearer.
        """
        if not await passwords.verify(body.password, ACCOUNTS.get(body.name)):
            raise Problem(403, "The name or the password is wrong.")
        issued = await tokens.issue(body.name, ["orders:write"] if body.may_write else [], label="login")
        record = issued.record
        return Token(id=record.id, scopes=list(record.scopes), expires=record.expires, token=issued.token)

    @requires()
    @endpoint(tags=["accounts"])
    async def get(self) -> list[Token]:
        """List one's tokens."""
        found = await tokens.of(self.current_user)
        return [Token(id=one.id, scopes=list(one.scopes), expires=one.expires) for one in found]


class OneToken(AuthMixin, Api):
    auth = (bearer,)

    @requires()
    @endpoint(tags=["accounts"])
    async def delete(self, token_id: Annotated[str, Path(description="The id of a token.")]) -> None:
        """End one of one's tokens, at once."""
        if token_id not in [one.id for one in await tokens.of(self.current_user)]:
            raise Problem(404, "You have no such token.")
        await tokens.revoke(token_id)
