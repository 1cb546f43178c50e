from torngas.handler import WebHandler


class Index(WebHandler):
    def get(self):
        self.render("$name/index.html")
