"""Storage, storify, sorteddict, ThreadedDict."""

import threading

import pytest

from torngas.storage import ThreadedDict, sorteddict, storage, storify


def test_storage_reads_writes_and_deletes_by_attribute_and_item():
    row = storage(name="Ada")
    row.born = 1815
    assert (row["name"], row.name, row["born"]) == ("Ada", "Ada", 1815)
    del row.name
    assert "name" not in row
    with pytest.raises(AttributeError):
        row.name  # noqa: B018
    with pytest.raises(AttributeError):
        del row.name


def test_storify_takes_the_last_of_several_and_fills_defaults():
    assert storify({"a": ["1", "2"]}, b="x") == {"a": "2", "b": "x"}
    assert storify({"a": "1"}, a=[]) == {"a": ["1"]}
    with pytest.raises(KeyError):
        storify({}, "needed")


def test_sorteddict_iterates_in_the_order_of_its_keys():
    numbers = sorteddict({"b": 2, "a": 1})
    numbers["0"] = 0
    assert list(numbers.items()) == [("0", 0), ("a", 1), ("b", 2)]
    del numbers["a"]
    assert len(numbers) == 2


def test_threadeddict_is_each_threads_own():
    local = ThreadedDict()
    local.user = "ada"
    seen = []
    thread = threading.Thread(target=lambda: seen.append(hasattr(local, "user")))
    thread.start()
    thread.join()
    assert seen == [False]
    assert local.user == "ada"
    local.clear()
    assert not hasattr(local, "user")
