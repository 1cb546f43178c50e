"""Who may enter the staff's pages: declared in ROUTE_MODULES, so that no page there can forget to ask."""

from torngas.exception import HttpForbiddenError
from torngas.httpmodule import BaseHttpModule


class StaffOnly(BaseHttpModule):
    def begin_request(self, handler, clear):
        user = handler.current_user
        if not user or not user["staff"]:
            raise HttpForbiddenError
