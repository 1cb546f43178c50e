"""A list in pages, an order that is placed once however often it is sent, changes that none overtakes, and news."""

from contextlib import aclosing
from typing import Annotated

import msgspec
from accounts.security import bearer
from base import Api

from orders.models import NewOrder, Order, orders
from torngas.api import Header, Path, Problem, Query, endpoint
from torngas.api.conditional import ConditionalMixin, strong_etag
from torngas.api.events import EventStreamMixin
from torngas.api.idempotency import IdempotencyMixin
from torngas.api.pagination import PaginationMixin
from torngas.auth import AuthMixin, requires

OrderId = Annotated[int, Path(description="The number of an order.")]
WRONG_TOKEN = "The token is wrong."


class Orders(AuthMixin, IdempotencyMixin, PaginationMixin, Api):
    auth = (bearer,)

    @endpoint(tags=["orders"], responses={401: WRONG_TOKEN, 404: "There is no such page."})
    async def get(
        self, page: Annotated[int, Query(ge=1, le=1000)] = 1, per_page: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> list[Order]:
        """List the orders.

        The header Link leads to the other pages, X-Total-Count says how many orders there are.
        """
        return list(self.paginate_list([*orders.found.values()]).items)

    @requires("orders:write")
    @endpoint(tags=["orders"], status=201, responses={409: "It is being placed at this moment."})
    async def post(
        self,
        body: NewOrder,
        idempotency_key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key",
                pattern="^[A-Za-z0-9-]{1,64}$",
                description="The same one when the request is repeated: the order is placed once.",
            ),
        ] = None,
    ) -> Order:
        """Place an order."""
        order = orders.add(body, by=self.current_user)
        self.set_header("Location", self.reverse_url("Order", order.id))
        return order


class OneOrder(AuthMixin, ConditionalMixin, Api):
    auth = (bearer,)
    require_precondition = True

    @endpoint(tags=["orders"], responses={304: None, 401: WRONG_TOKEN, 412: "It has another version."})
    async def get(self, order_id: OrderId) -> Order:
        """Read an order; ETag names its version."""
        order = self.found(order_id)
        self.check_preconditions(strong_etag(order.version))
        return order

    @requires("orders:write")
    @endpoint(tags=["orders"], responses={412: "It was changed meanwhile.", 428: "If-Match is missing."})
    async def put(
        self,
        order_id: OrderId,
        body: NewOrder,
        if_match: Annotated[
            str | None, Header(alias="If-Match", description="The ETag of the version that is changed.")
        ] = None,
    ) -> Order:
        """Change an order, if nobody else did."""
        self.check_preconditions(strong_etag(self.found(order_id).version))
        order = orders.change(order_id, body)  # no await in between: nobody overtakes
        self.set_header("ETag", strong_etag(order.version))
        return order

    def found(self, order_id: int) -> Order:
        order = orders.found.get(order_id)
        if order is None:
            raise Problem(404, "There is no order of this number.")
        return order


class Events(EventStreamMixin, Api):
    """New orders, as they come in; who lost the connection hears of what was missed."""

    async def get(self) -> None:
        last = self.last_event_id or ""
        await self.open_stream()
        async with aclosing(orders.after(int(last) if last.isdecimal() else 0)) as news:
            async for order in news:
                await self.send_event(msgspec.to_builtins(order), event="order", id=order.id)
