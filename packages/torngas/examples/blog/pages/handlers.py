from torngas.handler import WebHandler


class Welcome(WebHandler):
    def get(self):
        self.render("welcome.html")
