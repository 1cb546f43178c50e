from torngas import Url, route

u = Url("posts.handlers")
urls = route(
    u(name="Posts", pattern=r"/posts/?", handler="Posts"),
)
