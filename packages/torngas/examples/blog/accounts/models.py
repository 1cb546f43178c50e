"""Who writes."""

import hashlib
import hmac
import secrets

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from torngas.db.dbalchemy import Model


class User(Model):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password: Mapped[str] = mapped_column(String(200))
    staff: Mapped[bool] = mapped_column(default=False)

    def set_password(self, password: str) -> None:
        salt = secrets.token_bytes(16)
        self.password = f"{salt.hex()}:{_scrypt(password, salt).hex()}"

    def has_password(self, password: str) -> bool:
        salt, expected = (bytes.fromhex(part) for part in self.password.split(":"))
        return hmac.compare_digest(_scrypt(password, salt), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
