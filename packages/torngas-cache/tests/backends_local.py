"""The local backends, for the contract suite.

A factory is made once per test. It has
- `make(**config)`: a new cache over the store of this test; `config` is what stands under an alias (OPTIONS, …);
- `grain`: the shortest timeout in seconds that the store can tell from none at all, and `advance(seconds)`, which lets
  that time pass (a pretended clock, or a real one);
- `plant(cache, storage_key, data)`: puts these bytes under the key, past every encoding;
- `keeps`: False where nothing is kept; `lowest`: what `decr` stops at, None without a limit;
- `close()`.
"""

import itertools
import time

from torngas_cache import create_cache

_numbers = itertools.count()


class Factory:
    keeps = True
    lowest = None
    grain = 1.0

    def __init__(self, request):
        self.now = time.time()
        self.number = next(_numbers)

    def advance(self, seconds):
        self.now += seconds

    def make(self, **config):
        config["OPTIONS"] = {"CLOCK": lambda: self.now, **config.get("OPTIONS", {})}
        return create_cache(self.backend, self.location(), **config)

    def close(self):
        pass


class LocMem(Factory):
    backend = "locmem"

    def location(self):
        return f"contract-{self.number}"

    def plant(self, cache, storage_key, data):
        def load(_):
            return cache._codec.decode(data)

        cache._write(storage_key, (load, data, None), None)


class LocMemPickled(LocMem):
    """Everything goes through a serializer."""

    def make(self, **config):
        return super().make(**{**config, "OPTIONS": {"SERIALIZER": "pickle", **config.get("OPTIONS", {})}})


class LocMemSmall(LocMem):
    """Bytes are counted, and values stay pickled."""

    def make(self, **config):
        return super().make(**{**config, "OPTIONS": {"MAX_BYTES": 10_000_000, **config.get("OPTIONS", {})}})


class File(Factory):
    backend = "file"

    def __init__(self, request):
        super().__init__(request)
        self.folder = request.getfixturevalue("tmp_path") / "deep" / "cache"

    def location(self):
        return self.folder

    def plant(self, cache, storage_key, data):
        cache._write(storage_key, data, None)


FACTORIES = {
    "locmem": LocMem,
    "locmem-serializer": LocMemPickled,
    "locmem-bytes": LocMemSmall,
    "file": File,
}
