from torngas import Url, route

u = Url("myapp2.handlers", version="2.0")
urls = route(
    u(name="Api", pattern=r"/api/hello/?", handler="api.Hello"),
)
