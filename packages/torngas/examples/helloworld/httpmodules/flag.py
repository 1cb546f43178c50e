from torngas.httpmodule import BaseHttpModule


class FlagModule(BaseHttpModule):
    """Acts on the routes that ROUTE_MODULES names."""

    def begin_request(self, handler, clear):
        handler.set_header("X-Flag", "usa")
