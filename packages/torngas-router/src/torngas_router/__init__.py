"""Django-like routes for Tornado whose cost does not grow with the table."""

from .application import Application, ApplicationMixin
from .converters import Converter
from .declaration import Route
from .errors import ReverseError, UrlError
from .table import RouteTable
from .urls import Url, include, path, route

__all__ = [
    "Application",
    "ApplicationMixin",
    "Converter",
    "ReverseError",
    "Route",
    "RouteTable",
    "Url",
    "UrlError",
    "include",
    "path",
    "route",
]
