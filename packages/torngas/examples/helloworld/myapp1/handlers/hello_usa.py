from torngas.handler import WebHandler


class Main(WebHandler):
    def get(self):
        self.render("welcome.html", greeting=f"{self._url_kwargs['greeting']}, world")
