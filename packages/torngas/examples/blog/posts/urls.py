from torngas import Url, route

u = Url("posts")
urls = route(
    u(name="Welcome", pattern=r"/", handler="handlers.Front"),
    u(name="Posts", pattern=r"/posts/?", handler="handlers.Posts"),
    u.path("/posts/<int:post_id>", "handlers.Read", name="Post"),
    u.path("/posts/<int:post_id>/edit", "handlers.Write", name="Edit"),
    u.path("/posts/<int:post_id>/comments", "live.Comments", name="Comments"),
    u(name="Write", pattern=r"/write", handler="handlers.Write"),
    u(name="Staff", pattern=r"/staff/?", handler="handlers.Staff"),
)
