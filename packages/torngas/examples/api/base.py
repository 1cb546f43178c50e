"""What all handlers of this API share."""

from torngas.api import ProblemErrors
from torngas.handler import ApiHandler, ErrorHandler


class Api(ProblemErrors, ApiHandler):
    """Answers JSON, and every error as problem details."""


class Nowhere(ProblemErrors, ErrorHandler):
    """Where no address matches."""
