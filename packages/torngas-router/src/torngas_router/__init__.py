"""Django-like routes for Tornado whose cost does not grow with the table."""

from .application import Application, ApplicationMixin
from .converters import Converter
from .declaration import Route
from .delegate import MethodNotAllowedHandler
from .description import RouteInfo
from .entries import Match
from .errors import ReverseError, UrlError
from .redirect import LocalRedirectHandler, addslash, is_local_url, local_url, removeslash
from .table import RouteTable
from .urls import Url, include, path, route

__all__ = [
    "Application",
    "ApplicationMixin",
    "Converter",
    "LocalRedirectHandler",
    "Match",
    "MethodNotAllowedHandler",
    "ReverseError",
    "Route",
    "RouteInfo",
    "RouteTable",
    "Url",
    "UrlError",
    "addslash",
    "include",
    "is_local_url",
    "local_url",
    "path",
    "removeslash",
    "route",
]
