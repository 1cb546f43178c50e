"""Posts, their tags and comments."""

from datetime import UTC, datetime

from accounts.models import User
from sqlalchemy import Column, ForeignKey, String, Table, Text, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from torngas.db.dbalchemy import Model

post_tags = Table(
    "post_tags",
    Model.metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Tag(Model):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)


class Post(Model):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    written: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User] = relationship(lazy="joined")
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags, lazy="selectin", order_by=Tag.name)

    @classmethod
    def newest(cls, tag="", search=""):
        query = cls.Q.order_by(cls.written.desc(), cls.id.desc())
        if tag:
            query = query.filter(cls.tags.any(Tag.name == tag))
        if search:
            query = query.filter(or_(column.icontains(search, autoescape=True) for column in (cls.title, cls.text)))
        return query

    def set_tags(self, session, names):
        wanted = dict.fromkeys(name.strip().lower()[:30] for name in names.split(",") if name.strip())
        known = {tag.name: tag for tag in session.query(Tag).filter(Tag.name.in_(wanted))}
        self.tags = [known.get(name) or Tag(name=name) for name in wanted]

    def summary(self):
        """What lists show; plain data, so that it can be cached."""
        return {
            "id": self.id,
            "title": self.title,
            "author": self.author.name,
            "date": self.written.strftime("%Y-%m-%d"),
            "tags": [tag.name for tag in self.tags],
            "start": self.text[:220] + ("…" if len(self.text) > 220 else ""),
        }


class Comment(Model):
    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(40))
