from torngas import Url, route

u = Url("pages.handlers")
urls = route(
    u(name="Welcome", pattern=r"/", handler="Welcome"),
)
