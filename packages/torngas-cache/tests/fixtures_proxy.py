"""A TCP proxy that a test can make slow, deaf or rude."""

import asyncio
import contextlib
import socket
import struct
import threading

import pytest

RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards to a port of 127.0.0.1, in a thread of its own.

    `delay`: seconds before each piece is passed on; `deaf`: what comes is swallowed, connections are still accepted;
    `reset()`: breaks every connection with RST; `pieces`: what clients sent, one item per read.
    """

    def __init__(self, target, context=None):
        self.target, self.context = target, context
        self.delay, self.deaf, self.connections, self.pieces = 0.0, False, 0, []
        self._writers, self._tasks = set(), set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait()

    def reset(self):
        asyncio.run_coroutine_threadsafe(self._reset_and_wait(), self._loop).result()

    def close(self):
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self):
        self._stopping = asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self._loop.add_reader(listener, self._accept, listener)
            self._ready.set()
            await self._stopping.wait()
            self._loop.remove_reader(listener)
        while serving := asyncio.all_tasks() - {asyncio.current_task()}:
            self._reset()
            await asyncio.wait(serving, timeout=0.05)

    def _accept(self, listener):
        # asyncio's own server drops a connection, open, that it accepted in the turn in which it is closed
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            accepted, _ = listener.accept()
            self.connections += 1
            self._tasks.add(task := self._loop.create_task(self._forward(accepted)))
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, accepted):
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        writers = []
        try:
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, accepted, ssl=self.context)
            writers.append(writer := asyncio.StreamWriter(transport, protocol, reader, self._loop))
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(far_writer)
            self._writers.update(writers)
            await asyncio.gather(self._pump(reader, far_writer, self.pieces), self._pump(far_reader, writer, None))
        except OSError:
            pass
        finally:
            for each in writers:
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, reader, writer, record):
        while data := await reader.read(1 << 20):
            if record is not None:
                record.append(data)
            if self.delay:
                await asyncio.sleep(self.delay)
            if not self.deaf:
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError

    async def _reset_and_wait(self):
        sockets = [writer.get_extra_info("socket") for writer in self._writers]
        self._reset()
        while any(each.fileno() != -1 for each in sockets):  # asyncio closes them in one of the next turns
            await asyncio.sleep(0)

    def _reset(self):
        for writer in list(self._writers):
            if (raw := writer.get_extra_info("socket")) is not None and raw.fileno() != -1:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


@pytest.fixture
def proxied():
    """proxied(port) -> a `Proxy` before it."""
    made = []

    def make(port, context=None):
        made.append(Proxy(port, context))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()
