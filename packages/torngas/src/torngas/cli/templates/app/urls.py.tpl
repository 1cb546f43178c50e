from torngas import Url, route

u = Url("$name.handlers")
urls = route(
    u(name="$title", pattern=r"/$name/?", handler="index.Index"),
)
