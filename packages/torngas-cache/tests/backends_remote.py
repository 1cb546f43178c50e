"""The remote backends, for the contract suite; what a factory has is told in `backends_local.py`.

The servers' clocks are their own. To advance, entries in Redis are made to live less long, and the library's clock goes
forward as much; for memcached, which tells nobody how long an entry lives, time passes for real.
"""

import importlib.util
import time

from torngas_cache import create_cache


class Remote:
    keeps = True
    lowest = None

    def __init__(self, request):
        self.place = request.getfixturevalue(self.fixture)
        self.options = {}
        self.made = []

    def make(self, **config):
        config["OPTIONS"] = {**self.options, **config.get("OPTIONS", {})}
        self.made.append(create_cache(self.backend, self.location(), **config))
        self.made[-1].has_key("connected")  # learning a cluster's layout takes longer than a grain
        return self.made[-1]

    def close(self):
        for cache in self.made[:1]:
            cache.clear(all=True)
        for cache in self.made:
            cache.close()


class Redis(Remote):
    backend = "redis"
    fixture = "redis_server"
    grain = 30.0

    def __init__(self, request):
        super().__init__(request)
        self.ahead = 0.0

    def make(self, **config):
        return super().make(**{"clock": lambda: time.time() + self.ahead, **config})

    def client_of(self, cache):
        return cache.client

    def advance(self, seconds):
        self.ahead += seconds
        client = self.client_of(self.made[0])
        for key in client.scan_iter(count=1000):
            left = client.pttl(key) - int(seconds * 1000)
            if left > 0:
                client.pexpire(key, left)
            elif left >= -int(seconds * 1000):  # -1 and -2 of an entry without an end, or without a life, are below
                client.delete(key)

    def location(self):
        return f"127.0.0.1:{self.place['port']}"

    def plant(self, cache, storage_key, data):
        self.client_of(cache).set(storage_key, data)


class RedisSocket(Redis):
    """By the unix socket, in RESP2, with the documented options."""

    def __init__(self, request):
        super().__init__(request)
        self.options = {
            "DB": 3,
            "PARSER_CLASS": "redis.connection.DefaultParser",
            "POOL_KWARGS": {"socket_timeout": 2, "socket_connect_timeout": 2, "protocol": 2},
            "PING_INTERVAL": 120,
        }

    def location(self):
        return self.place["socket"]


class RedisCluster(Redis):
    fixture = "redis_cluster"

    def __init__(self, request):
        super().__init__(request)
        self.options = {"CLUSTER": True}

    def location(self):
        return [f"127.0.0.1:{node['port']}" for node in self.place["nodes"]]


class RedisSentinel(Redis):
    fixture = "redis_sentinel"

    def __init__(self, request):
        super().__init__(request)
        self.options = {"SENTINEL_SERVICE": self.place["service"]}

    def location(self):
        return [f"127.0.0.1:{sentinel['port']}" for sentinel in self.place["sentinels"]]


class Tiered(Redis):
    backend = "tiered"

    def client_of(self, cache):
        return cache._remote.client


class TieredCluster(RedisCluster):
    backend = "tiered"
    client_of = Tiered.client_of


class Memcached(Remote):
    backend = "memcached"
    fixture = "memcached_server"
    lowest = 0
    grain = 2.0  # an entry that is to live n seconds lives between n - 1 and n: the server's clock ticks once a second

    def location(self):
        return f"127.0.0.1:{self.place['port']}"

    def advance(self, seconds):
        time.sleep(seconds + 0.1)

    def plant(self, cache, storage_key, data):
        cache.client.set(storage_key, data)


class PyLibMC(Memcached):
    backend = "torngas_cache.backends.memcached.PyLibMCCache"


FACTORIES = {
    "redis": Redis,
    "redis-socket": RedisSocket,
    "redis-cluster": RedisCluster,
    "redis-sentinel": RedisSentinel,
    "tiered": Tiered,
    "tiered-cluster": TieredCluster,
    "memcached": Memcached,
}
if importlib.util.find_spec("pylibmc"):  # where it is installed the old name takes part too
    FACTORIES["pylibmc"] = PyLibMC
