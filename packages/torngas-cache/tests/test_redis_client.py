"""RedisClient and the options of the redis backends: what reaches redis-py."""

import ssl
import subprocess
import sys

import pytest

from torngas_cache import CacheConfigError, InvalidCacheBackendError, MissingExtraError, create_cache
from torngas_cache._redis import driver
from torngas_cache._redis.options import Address, RedisOptions
from torngas_cache.backends.rediscache import RedisCache, RedisClient


def made(location, **options):
    return RedisClient(location, {"OPTIONS": options})


def kwargs_of(client):
    return client.connection_pool.connection_kwargs


async def test_the_client_is_redis_py_and_the_class_has_no_methods_of_a_cache(redis_server):
    """`.client` and `.aclient` are native; get and set are theirs, not this object's."""
    import redis

    native = made(f"127.0.0.1:{redis_server['port']}", DB=2)
    assert isinstance(native.client, redis.Redis)
    assert isinstance(native.aclient, redis.asyncio.Redis)
    native.client.rpush("list", "a", "b")
    assert await native.aclient.lrange("list", 0, -1) == [b"a", b"b"]
    assert not hasattr(native, "get")
    assert not hasattr(native, "set")
    native.client.flushdb()
    await native.aclose()


def test_the_cache_extends_the_client(redis_server):
    """RedisCache offers `.client` too."""
    cache = RedisCache(f"127.0.0.1:{redis_server['port']}", {})
    assert isinstance(cache, RedisClient)
    assert cache.client.ping()
    cache.close()
    cache.close()


def test_the_database_is_1_unless_something_says_otherwise(redis_server):
    """As documented for host:port; a URL decides for itself."""
    port = redis_server["port"]
    assert kwargs_of(made(f"127.0.0.1:{port}").client)["db"] == 1
    assert kwargs_of(made(redis_server["socket"]).client)["db"] == 1
    assert kwargs_of(made(f"127.0.0.1:{port}", DB=0).client)["db"] == 0
    assert kwargs_of(made(f"127.0.0.1:{port}", db="4").client)["db"] == 4
    assert kwargs_of(made(f"redis://127.0.0.1:{port}/7").client)["db"] == 7
    assert kwargs_of(made(f"redis://127.0.0.1:{port}").client).get("db", 0) == 0


def test_both_timeouts_are_two_seconds_by_default_and_the_pool_has_the_last_word():
    """POOL_KWARGS wins over the defaults; PING_INTERVAL is the health check."""
    kwargs = kwargs_of(made("127.0.0.1:6379").client)
    assert (kwargs["socket_timeout"], kwargs["socket_connect_timeout"]) == (2, 2)
    chosen = made("127.0.0.1:6379", POOL_KWARGS={"socket_timeout": 9, "max_connections": 5}, PING_INTERVAL=120)
    assert kwargs_of(chosen.client)["socket_timeout"] == 9
    assert kwargs_of(chosen.client)["health_check_interval"] == 120
    assert chosen.client.connection_pool.max_connections == 5


@pytest.mark.parametrize(
    "parser",
    ["redis.connection.DefaultParser", "redis.connection.PythonParser", "redis.connection.HiredisParser"],
)
async def test_parser_classes_by_their_documented_names_serve_both_worlds(redis_server, parser):
    """`redis.connection.DefaultParser` is accepted, and so are the names that redis-py has given up."""
    cache = RedisCache(f"127.0.0.1:{redis_server['port']}", {"OPTIONS": {"PARSER_CLASS": parser, "protocol": 2}})
    cache.set("parsed", [1])
    assert cache.get("parsed") == [1]
    assert await cache.aget("parsed") == [1]
    cache.delete("parsed")
    await cache.aclose()


async def test_pool_class_by_dotted_path_has_an_asynchronous_twin(redis_server):
    """`redis.BlockingConnectionPool` for threads, that of redis.asyncio for coroutines."""
    import redis

    native = made(f"127.0.0.1:{redis_server['port']}", POOL_CLASS="redis.BlockingConnectionPool")
    assert type(native.client.connection_pool) is redis.BlockingConnectionPool
    assert type(native.aclient.connection_pool) is redis.asyncio.BlockingConnectionPool
    await native.aclose()


@pytest.mark.parametrize("protocol", [2, 3])
async def test_both_protocols_work(redis_server, protocol):
    """RESP2 and RESP3, plain and as coroutines."""
    cache = RedisCache(f"127.0.0.1:{redis_server['port']}", {"OPTIONS": {"protocol": protocol}})
    cache.set("resp", {"n": 1})
    await cache.aset("count", 4)
    assert await cache.aincr("count") == 5
    assert await cache.aget_many(["resp", "count"]) == {"resp": {"n": 1}, "count": 5}
    assert cache.get_many(["resp", "count"]) == {"resp": {"n": 1}, "count": 5}
    cache.clear()
    await cache.aclose()


async def test_a_password_is_asked_for_and_a_wrong_one_is_no_outage(fresh_servers):
    """Going on without the cache would hide a wrong password for ever: it raises under every policy."""
    import redis

    port = fresh_servers("redis")["redis"]["port"]
    with redis.Redis(port=port) as admin:
        admin.config_set("requirepass", "secret word")
    for location in (f"127.0.0.1:{port}", f"redis://:secret%20word@127.0.0.1:{port}/0"):
        options = {} if "@" in location else {"PASSWORD": "secret word"}
        cache = RedisCache(location, {"OPTIONS": options})
        cache.set("k", 1)
        assert await cache.aget("k") == 1
        await cache.aclose()
    wrong = RedisCache(f"127.0.0.1:{port}", {"OPTIONS": {"PASSWORD": "no", "ON_OUTAGE": "miss"}})
    for _ in range(2):
        with pytest.raises(redis.AuthenticationError):
            wrong.get("k")
        with pytest.raises(redis.AuthenticationError):
            await wrong.aget("k")
    await wrong.aclose()


async def test_tls_by_url_and_by_option(redis_server, proxied, tmp_path):
    """rediss:// and `ssl=True`; a certificate that nobody vouches for is refused."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    request += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(request, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    port = proxied(redis_server["port"], context).port
    trusting = {"ssl_ca_certs": str(certificate)}
    for location, options in (
        (f"rediss://127.0.0.1:{port}/0", trusting),
        (f"127.0.0.1:{port}", {"ssl": True, **trusting}),
    ):
        cache = RedisCache(location, {"OPTIONS": options})
        cache.set("tls", location)
        assert cache.get("tls") == await cache.aget("tls") == location
        cache.delete("tls")
        await cache.aclose()
    suspicious = RedisCache(f"rediss://127.0.0.1:{port}", {})
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        suspicious.get("tls")
    suspicious.close()


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("localhost:6379", Address(host="localhost", port=6379)),
        ("[::1]:7000", Address(host="::1", port=7000)),
        ("/run/redis.sock", Address(path="/run/redis.sock")),
        ("unix:/run/redis.sock", Address(path="/run/redis.sock")),
        ("redis://h:1/2", Address(url="redis://h:1/2", host="h", port=1)),
        ("rediss://h/2", Address(url="rediss://h/2", host="h", port=6379)),
    ],
)
def test_the_forms_of_a_location(location, address):
    """Every documented form."""
    assert Address.parse(location) == address


@pytest.mark.parametrize(
    ("location", "options", "complaint"),
    [
        ("localhost", {}, r"'localhost' \(no port\); expected 'host:port'"),
        ("http://user:secret@h:1", {}, r"unknown scheme"),
        ("h:1", {"DBS": 1}, r"'DBS'; expected some of DB"),
        ("h:1", {"DB": "one"}, r"OPTIONS\['DB'\]: got 'one'"),
        ("h:1", {"CLUSTER": True, "DB": 1}, r"expected 0, a cluster has no other"),
        ("h:1", {"CLUSTER": True, "SENTINEL_SERVICE": "s"}, r"expected one of them"),
        ("/s", {"CLUSTER": True}, r"with CLUSTER; expected 'host:port'"),
        ("h:1", {"ON_OUTAGE": "ignore"}, r"ON_OUTAGE: got 'ignore'; expected 'raise' or 'miss'"),
        ("h:1", {"BREAKER_WINDOW": -1}, r"BREAKER_WINDOW"),
        ("h:1", {"POOL_KWARGS": {"decode_responses": True}}, r"decode_responses"),
        (
            "h:1",
            {"PARSER_CLASS": "redis.connection.NoParser"},
            r"OPTIONS\['PARSER_CLASS'\]: got 'redis.connection.NoParser'",
        ),
        ("h:1", {"POOL_CLASS": "nowhere.Pool"}, r"OPTIONS\['POOL_CLASS'\]: got 'nowhere.Pool'"),
    ],
)
def test_wrong_configuration_is_named(location, options, complaint):
    """Where, what was got, what is expected; never a secret."""
    with pytest.raises(CacheConfigError, match=complaint) as caught:
        made(location, **options)
    assert "secret" not in str(caught.value)


def test_no_password_in_the_name_of_an_address():
    """Names go to messages and logs."""
    assert Address.parse("redis://user:secret@h:1/2?password=secret").name == "redis://h:1/2"


def test_lower_case_options_go_to_redis_py_as_they_are():
    """What redis-py has, no option of ours needs to repeat."""
    options = RedisOptions.parse(["h:1"], {"client_name": "me", "DB": 0})
    assert options.connection_kwargs(options.addresses[0])["client_name"] == "me"


def test_a_missing_driver_names_the_extra(monkeypatch):
    """The message is the remedy."""
    driver.driver.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'torngas-cache\[redis\]'"):
        create_cache("redis", "127.0.0.1:6379")
    assert issubclass(MissingExtraError, InvalidCacheBackendError)
    monkeypatch.undo()
    driver.driver.cache_clear()


def test_importing_the_remote_backends_loads_no_driver_and_starts_nothing():
    """A program that configures no redis does not pay for it."""
    code = """
import sys, threading
import torngas_cache, torngas_cache.backends.rediscache, torngas_cache.backends.memcached, torngas_cache.backends.tiered
loaded = {"redis", "hiredis", "pymemcache", "pylibmc", "msgpack"} & set(sys.modules)
assert not loaded, loaded
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_as_many_threads_as_one_likes(redis_server):
    """No pool limit by default; one that was asked for is an error to the caller and no outage."""
    port = redis_server["port"]
    cache = RedisCache(f"127.0.0.1:{port}", {"OPTIONS": {"DB": 6}})
    assert cache.client.connection_pool.max_connections > 10_000
    small = RedisCache(f"127.0.0.1:{port}", {"OPTIONS": {"DB": 6, "POOL_KWARGS": {"max_connections": 1}}})
    pool = small.client.connection_pool
    held = driver.borrow(pool)
    with pytest.raises(ConnectionError, match="onnections"):
        small.get("k")
    pool.release(held)
    assert small.get("k") is None
    small.close()
    cache.close()
