from torngas.handler import WebHandler


class Posts(WebHandler):
    def get(self):
        self.render("posts.html", posts=[])
