from torngas.handler import WebHandler


class Index(WebHandler):
    def get(self):
        visits = self.session.get("visits", 0) + 1
        self.session["visits"] = visits
        self.render("home/index.html", visits=visits)
