from torngas import Url, route

u = Url("myapp1.handlers")
urls = route(
    u(name="Index", pattern=r"/?", handler="hello_china.Main"),
    u(name="Usa", pattern=r"/usa/?", handler="hello_usa.Main", kwargs={"greeting": "Hello"}),
)
