from torngas.handler import ApiHandler


class Hello(ApiHandler):
    def get(self):
        self.write_api({"hello": self.get_argument("name", "world"), "version": self._url_kwargs["version"]})
