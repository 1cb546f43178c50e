from torngas import Url, route

u = Url("orders.handlers")
urls = route(
    u.path("/orders", "Orders", name="Orders"),
    u.path("/orders/events", "Events", name="OrderEvents"),
    u.path("/orders/<int:order_id>", "OneOrder", name="Order"),
)
