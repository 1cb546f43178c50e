"""Comments, live: everybody who reads a post sees them at once."""

from collections import defaultdict

from posts.models import Comment, Post
from torngas.decorators.async_execute import async_execute
from torngas.handler import WebSocketHandler

readers = defaultdict(set)


class Comments(WebSocketHandler):
    def get_current_user(self):
        return self.session["account"]

    def open(self, post_id):
        self.post_id = post_id
        readers[post_id].add(self)

    async def on_message(self, message):
        text = str(message).strip()[:2000]
        if text and self.current_user and await self.save(text):
            for reader in list(readers[self.post_id]):
                await reader.write_message({"author": self.current_user["name"], "text": text})

    @async_execute
    def save(self, text):
        session = Comment.session.using_master()
        if session.get(Post, self.post_id) is None:
            return False
        session.add(Comment(post_id=self.post_id, text=text, author=self.current_user["name"]))
        session.commit()
        return True

    def on_close(self):
        readers[self.post_id].discard(self)
        if not readers[self.post_id]:
            del readers[self.post_id]
