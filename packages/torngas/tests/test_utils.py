"""The small things of 1.8."""

import asyncio
import threading
import time

import pytest

from torngas import utils


def test_null_swallows_everything_and_is_false():
    null = utils.Null(1, a=2)
    null.anything.at["all"](1).x = 5
    assert not null
    assert list(null) == []


def test_lazyimport_imports_at_the_first_use():
    module = utils.lazyimport("json")
    assert module.loads("[1]") == [1]
    broken = utils.lazyimport("no_such_module_at_all")
    with pytest.raises(ImportError):
        broken.anything  # noqa: B018


def test_strips_takes_prefix_and_suffix_away_once():
    assert utils.strips("foobarfoo", "foo") == "bar"
    assert utils.strips("http://foo.org/", "http://", "/") == "foo.org"


def test_safestr_and_safeunicode_answer_text():
    assert utils.safestr("é".encode()) == utils.safeunicode("é") == "é"
    assert utils.safestr(5) == "5"


def test_iterbetter_gives_items_by_index_once():
    items = utils.iterbetter(iter(range(5)))
    assert bool(items)
    assert items[0] == 0
    assert items[2] == 2
    with pytest.raises(IndexError):
        items[1]
    assert items.list() == [3, 4]
    assert items.first("none") == "none"
    assert not items
    with pytest.raises(IndexError):
        items[7]


async def test_sleep_does_not_block_the_loop():
    order = []

    async def other():
        order.append("other")

    task = asyncio.create_task(other())
    await utils.sleep(0)
    order.append("slept")
    await task
    assert order == ["other", "slept"]


def test_rwlock_lets_readers_share_and_a_writer_be_alone():
    lock = utils.RWLock()
    log = []
    with lock.reader():
        with lock.reader():
            pass
        writer = threading.Thread(target=lambda: (lock.writer_enters(), log.append("write"), lock.writer_leaves()))
        writer.start()
        deadline = time.monotonic() + 90
        while not lock._writers_waiting:
            assert time.monotonic() < deadline
        assert log == []
        log.append("read")
    writer.join(5)
    assert log == ["read", "write"]
