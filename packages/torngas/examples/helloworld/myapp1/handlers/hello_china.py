from torngas.handler import WebHandler


class Main(WebHandler):
    def get(self):
        self.render("welcome.html", greeting="你好，世界")
