"""Records that wait in memory."""

import contextvars
import logging
import threading

import pytest

from torngas_logger import JsonFormatter, LoggerConfigError, NonBlockingHandler, ProcessLogTimedFileHandler

current = contextvars.ContextVar("current", default=None)


class Gate(ProcessLogTimedFileHandler):
    """A disk that stands still until the test opens it."""

    def __init__(self, path):
        super().__init__(path)
        self.reached = threading.Event()
        self.open = threading.Event()

    def emit(self, record):
        self.reached.set()
        assert self.open.wait(20)
        super().emit(record)


def test_everything_queued_is_written_by_flush_and_close(log, plain):
    """In order."""
    logger = plain(NonBlockingHandler(ProcessLogTimedFileHandler(log.path)))
    for i in range(500):
        logger.info("%d", i)
    logger.handlers[0].flush()
    assert log.lines == [str(i) for i in range(500)]
    logger.info("last")
    logger.handlers[0].close()
    assert log.lines[-1] == "last"


def test_what_does_not_fit_is_dropped_counted_and_logged(log, plain):
    """The caller never waits for the disk."""
    gate = Gate(log.path)
    handler = NonBlockingHandler(gate, capacity=2)
    logger = plain(handler)
    logger.info("writing")
    assert gate.reached.wait(20)
    for i in range(5):
        logger.info("%d", i)
    assert handler.dropped == 3
    gate.open.set()
    handler.flush()
    assert log.lines == ["writing", "3 log records dropped: the queue of 2 was full", "0", "1"]
    assert handler.dropped == 0


def test_block_waits_for_room(log, plain):
    """Nothing is dropped then."""
    gate = Gate(log.path)
    handler = NonBlockingHandler(gate, capacity=1, when_full="block")
    logger = plain(handler)
    thread = threading.Thread(target=lambda: [logger.info("%d", i) for i in range(4)])
    thread.start()
    assert gate.reached.wait(20)
    assert thread.is_alive()
    gate.open.set()
    thread.join(20)
    handler.flush()
    assert log.lines == ["0", "1", "2", "3"]


def test_the_message_is_built_and_the_context_taken_at_the_call(log, plain):
    """Arguments may change afterwards, and a request id is the one of the caller."""
    gate = Gate(log.path)
    gate.setFormatter(JsonFormatter(request_id=current.get))
    handler = NonBlockingHandler(gate)
    logger = logging.Logger("x")
    logger.addHandler(handler)
    items = [1]
    current.set("r1")
    logger.info("%s", items)
    items.append(2)
    current.set("r2")
    gate.open.set()
    handler.close()
    assert '"message":"[1]"' in log.lines[0]
    assert '"request_id":"r1"' in log.lines[0]


def test_a_target_that_logs_does_not_wait_for_itself(log):
    """Its own thread writes at once."""
    logger = logging.Logger("x")

    class Chatty(ProcessLogTimedFileHandler):
        def emit(self, record):
            super().emit(record)
            if record.getMessage() != "inner":
                logger.info("inner")

    handler = NonBlockingHandler(Chatty(log.path), capacity=1, when_full="block")
    logger.addHandler(handler)
    logger.info("outer")
    handler.close()
    assert log.lines == ["outer", "inner"]


def test_a_record_after_close_is_written(log, plain):
    """A new thread starts."""
    handler = NonBlockingHandler(ProcessLogTimedFileHandler(log.path))
    logger = plain(handler)
    handler.close()
    handler.close()
    logger.info("late")
    handler.flush()
    assert log.lines == ["late"]


@pytest.mark.parametrize("options", [{"capacity": 0}, {"when_full": "ignore"}])
def test_what_cannot_work_is_refused(log, options):
    """An unbounded queue is a leak."""
    with pytest.raises(LoggerConfigError, match=next(iter(options))):
        NonBlockingHandler(logging.NullHandler(), **options)
