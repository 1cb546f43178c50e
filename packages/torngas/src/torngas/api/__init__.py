"""Typed requests, problem details and OpenAPI: `from torngas.api import Problem, Query, endpoint`.

Importing it loads nothing optional; a typed method needs msgspec (`pip install 'torngas[api]'`).
"""

from torngas.api.documentation import documentation_routes
from torngas.api.endpoints import Endpoint, endpoint
from torngas.api.markers import Body, Cookie, Form, Header, Marker, Path, Query
from torngas.api.openapi import OpenAPI
from torngas.api.problem import Problem, ProblemErrors

__all__ = [
    "Body",
    "Cookie",
    "Endpoint",
    "Form",
    "Header",
    "Marker",
    "OpenAPI",
    "Path",
    "Problem",
    "ProblemErrors",
    "Query",
    "documentation_routes",
    "endpoint",
]
