"""What a type checker accepts and refuses."""

import logging

from torngas_logger import (
    JsonFormatter,
    LoggingConfig,
    LoggingSetup,
    MaskingFilter,
    NonBlockingHandler,
    ProcessLogRotatingFileHandler,
    ProcessLogTimedFileHandler,
    configure,
    syslogger,
)

handler: logging.Handler = ProcessLogTimedFileHandler("app.log", when="midnight", backupCount=3, maxBytes=1000)
handler = ProcessLogRotatingFileHandler("app.log", maxBytes=1000, when="H", compress=True)
handler = NonBlockingHandler(handler, capacity=10, when_full="block")
handler.addFilter(MaskingFilter(["pin"]))
handler.setFormatter(JsonFormatter(request_id=lambda: None))
setup: LoggingSetup = configure([{"name": "x"}], LoggingConfig(port_prefix=8000), debug=True)
syslogger.error("x %d", 1, exc_info=True, extra={"a": 1})

ProcessLogTimedFileHandler("app.log", when=3)  # type: ignore[arg-type]
NonBlockingHandler(handler, when_full="ignore")  # type: ignore[arg-type]
NonBlockingHandler("app.log")  # type: ignore[arg-type]
JsonFormatter(request_id="x")  # type: ignore[arg-type]
LoggingConfig(rotate_mode="moon")  # type: ignore[arg-type]
LoggingConfig("logs")  # type: ignore[call-arg]
