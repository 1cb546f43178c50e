"""Reading, searching, writing and editing posts, and the staff's list."""

from base import Page

from posts.models import Comment, Post
from torngas.cache import cache
from torngas.decorators.async_execute import async_execute
from torngas.dispatch import Signal
from torngas.exception import Http404, HttpForbiddenError

PER_PAGE = 5
post_saved = Signal("post_saved", providing_args=["post_id"])


@post_saved.connect
def forget_the_front_page(**kwargs):
    cache.delete("front-page")


class Listing(Page):
    @async_execute
    def load(self, page, **wanted):
        found = Post.newest(**wanted).paginate(page, PER_PAGE)
        return found and ([post.summary() for post in found.items], found.page, found.pages)


class Front(Listing):
    async def get(self):
        entries = await cache.aget("front-page")
        if entries is None:
            entries = (await self.load(1))[0]
            await cache.aset("front-page", entries, 60)
        self.render("welcome.html", entries=entries)


class Posts(Listing):
    async def get(self):
        tag, search = self.get_argument("tag", ""), self.get_argument("search", "")
        number = self.get_argument("page", "1")
        found = await self.load(int(number) if number.isdecimal() else 0, tag=tag, search=search)
        if not found:
            raise Http404
        entries, page, pages = found
        self.render("posts.html", entries=entries, page=page, pages=pages, tag=tag, search=search)


class Read(Page):
    async def get(self, post_id):
        found = await self.load(post_id)
        if found is None:
            raise Http404
        self.render("post.html", **found)

    @async_execute
    def load(self, post_id):
        post = Post.session.get(Post, post_id)
        if post is None:
            return None
        comments = Comment.Q.filter_by(post_id=post_id).order_by(Comment.id).limit(500)
        shown = [{"author": one.author, "text": one.text} for one in comments]
        return {"post": post.summary(), "text": post.text, "author_id": post.author_id, "comments": shown}


class Write(Page):
    """The form for a new post, and for one that exists."""

    async def get(self, post_id=None):
        values = await self.load(post_id) if post_id else {}
        self.render("write.html", title="Edit" if post_id else "Write", values=values)

    async def post(self, post_id=None):
        values = self.form("title", "text", "tags")
        errors = {}
        if not 1 <= len(values["title"].strip()) <= 120:
            errors["title"] = "1 to 120 characters, please."
        if not values["text"].strip():
            errors["text"] = "Write something, please."
        if errors:
            self.set_status(422)
            self.render("write.html", title="Edit" if post_id else "Write", values=values, errors=errors)
            return
        saved = await self.save(post_id, values)
        post_saved.send(self.__class__, post_id=saved)
        self.flash(self.locale.translate("Saved."), "success")
        self.redirect(self.reverse_url("Post", saved))

    @async_execute
    def load(self, post_id):
        post = self.own(Post.session, post_id)
        return {"title": post.title, "text": post.text, "tags": ", ".join(tag.name for tag in post.tags)}

    @async_execute
    def save(self, post_id, values):
        session = Post.session.using_master()
        post = self.own(session, post_id) if post_id else Post(author_id=self.current_user["id"])
        post.title, post.text = values["title"].strip(), values["text"].strip()
        post.set_tags(session, values["tags"])
        session.add(post)
        session.commit()
        return post.id

    def own(self, session, post_id):
        post = session.get(Post, post_id)
        if post is None:
            raise Http404
        if post.author_id != self.current_user["id"] and not self.current_user["staff"]:
            raise HttpForbiddenError
        return post


class Staff(Listing):
    async def get(self):
        self.render("staff.html", entries=(await self.load(1))[0], counts=await self.count())

    @async_execute
    def count(self):
        return {"posts": Post.Q.count(), "comments": Comment.Q.count()}
