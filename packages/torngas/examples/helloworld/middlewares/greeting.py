class GreetingMiddleware:
    """Adds a header to every response of a handler."""

    def process_response(self, handler, clear, chunk):
        handler.set_header("X-Greeting", "hello from torngas")
