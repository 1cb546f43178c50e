from torngas import Url, route

u = Url("home.handlers")
urls = route(
    u(name="Home", pattern=r"/?", handler="index.Index"),
)
