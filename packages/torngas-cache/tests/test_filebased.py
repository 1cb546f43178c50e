"""What is particular to files."""

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from torngas_cache import CacheConfigError, CacheStorageError, create_cache


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "one" / "two"


@pytest.fixture
def make_files(folder, clock):
    return lambda **options: create_cache("file", folder, clock=clock, **options)


@pytest.fixture
def cache(make_files):
    return make_files()


def _file(folder):
    [path] = folder.iterdir()
    return path


def test_nothing_is_made_before_the_first_write(cache, folder):
    assert cache.get("key") is None
    assert cache.has_key("key") is False
    assert cache.delete_many([]) is None
    assert not folder.parent.exists()


def test_purge_removes_what_has_expired_and_nothing_else(cache, folder, clock):
    """Of everybody: the folder is shared."""
    cache.set_many({"short": 1, "brief": 2}, 10)
    cache.set("long", 3, 20)
    cache.set("forever", 4, None)
    assert cache.purge() == 0
    clock.advance(10)
    assert len(list(folder.iterdir())) == 4
    assert cache.purge() == 2
    assert len(list(folder.iterdir())) == 2
    assert cache.get_many(["short", "brief", "long", "forever"]) == {"long": 3, "forever": 4}


def test_purge_leaves_what_was_renewed_meanwhile(make_files, folder, clock, monkeypatch):
    """Between the look at the folder and the removal."""
    cache, other = make_files(), make_files()
    cache.set("key", "old", 10)
    clock.advance(10)
    listing = cache._folder.listing

    def listing_then_renewal():
        found = listing()
        other.set("key", "new", 10)
        return found

    monkeypatch.setattr(cache._folder, "listing", listing_then_renewal)
    assert cache.purge() == 0
    assert cache.get("key") == "new"


def test_purge_of_a_folder_that_is_not_there_removes_nothing(cache, folder):
    """And makes none."""
    assert cache.purge() == 0
    assert not folder.exists()


def test_folders_are_for_this_user_alone(cache, folder):
    """Nested ones too; files as well."""
    before = os.umask(0)
    try:
        cache.set("key", 1)
    finally:
        os.umask(before)
    for path in (folder, folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(_file(folder).stat().st_mode) == 0o600


def test_a_folder_may_be_removed_at_any_time(cache, folder):
    import shutil

    cache.set("key", 1)
    shutil.rmtree(folder)
    assert cache.get("key") is None
    cache.set("key", 2)
    assert cache.get("key") == 2


@pytest.mark.parametrize("key", ["../../escape", "/etc/passwd", "..", "a/../../b", "nul\0", "con"])
@pytest.mark.filterwarnings("ignore::torngas_cache.CacheKeyWarning")
def test_no_key_leads_out_of_the_folder(cache, folder, tmp_path, key):
    cache.set(key, "value")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.parent for path in files] == [folder]
    assert cache.get(key) == "value"


def test_an_expired_entry_is_removed_when_met(cache, folder, clock):
    cache.set("key", 1, 10)
    clock.advance(11)
    assert cache.get("key") is None
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("damage", ["empty", "cut", "header only", "flipped", "foreign", "garbage"])
def test_a_damaged_entry_is_a_miss_and_is_removed(cache, folder, damage, caplog):
    cache.set("key", "value" * 100)
    path = _file(folder)
    data = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "cut": data[:-1],
            "header only": data[:24],
            "flipped": data[:60] + bytes([data[60] ^ 1]) + data[61:],
            "foreign": b"some other file",
            "garbage": os.urandom(100),
        }[damage]
    )
    assert cache.get("key", "default") == "default"
    assert "damaged" in caplog.text
    assert list(folder.iterdir()) == []
    assert cache.add("key", 1) is True


def test_files_of_others_are_left_alone(cache, folder):
    cache.set("key", 1)
    mine = _file(folder)
    others = [folder / "README", folder / "x.cache", folder / (mine.stem[:-1] + ".cache"), folder / "new.tmp"]
    for path in others:
        path.write_text("not ours")
    (folder / "sub").mkdir()
    cache.clear()
    assert sorted(folder.iterdir()) == sorted([*others, folder / "sub"])


def test_no_temporary_file_stays(cache, folder, monkeypatch):
    cache.set("key", "old")

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(CacheStorageError):
        cache.set("key", "new")
    assert len(list(folder.iterdir())) == 1
    assert cache.get("key") == "old"


def test_temporary_files_of_a_killed_process_are_removed_later(cache, folder, monkeypatch):
    cache.set("key", 1)
    name = _file(folder).name
    left = folder / f"{name}.12345-1.tmp"
    left.write_bytes(b"half")
    fresh = folder / f"{name}.12345-2.tmp"
    fresh.write_bytes(b"being written")
    monkeypatch.setattr("torngas_cache._folder._ABANDONED_AFTER", -1.0)
    cache.clear()
    assert not left.exists()
    monkeypatch.setattr("torngas_cache._folder._ABANDONED_AFTER", 60.0)
    fresh.write_bytes(b"being written")
    cache.clear()
    assert fresh.exists()


def test_a_full_disk_is_an_error_that_names_the_folder(cache, folder, monkeypatch):
    cache.set("key", 1)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CacheStorageError, match="No space left") as caught:
        cache.set("key", 2)
    assert str(folder) in str(caught.value)
    assert caught.value.errno == errno.ENOSPC
    assert isinstance(caught.value, OSError)


def test_a_location_that_is_no_folder_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    for location in (path, path / "below"):
        cache = create_cache("file", location)
        with pytest.raises(OSError, match="file"):
            cache.set("key", 1)


def test_other_os_errors_are_raised_with_the_path(cache, folder):
    cache.set("key", 1)
    path = _file(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        cache.get("key")
    assert isinstance(caught.value, IsADirectoryError)


@pytest.mark.parametrize("location", ["", None, 5, []])
def test_a_location_is_needed(location):
    with pytest.raises(CacheConfigError, match="LOCATION"):
        create_cache("file", location)


@pytest.mark.parametrize(("frequency", "left"), [(3, 29), (0, 19)])
def test_culling_leaves_what_django_leaves(make_files, folder, frequency, left):
    cache = make_files(max_entries=30, cull_frequency=frequency)
    for number in range(1, 50):
        cache.set(f"cull{number}", "value", 1000)
    assert sum(f"cull{number}" in cache for number in range(1, 50)) == left
    assert len(list(folder.iterdir())) == left


@pytest.mark.promise(16)
def test_promise_16_expired_files_go_first(make_files, clock):
    cache = make_files(max_entries=10)
    for number in range(9):
        cache.set(f"living{number}", number, 1000)
    cache.set("dying", 1, 10)
    clock.advance(11)
    cache.set("new", 1, 1000)
    assert len(cache.get_many([f"living{number}" for number in range(9)])) == 9


def test_the_least_recently_used_go_first(make_files):
    cache = make_files(max_entries=9, cull_frequency=3)
    for number in range(9):
        cache.set(f"key{number}", number)
    cache.get("key0")
    cache.get("key2")
    cache.set("new", 1)
    assert [number for number in range(9) if f"key{number}" in cache] == [0, 2, 5, 6, 7, 8]


def test_entries_of_other_processes_are_counted_now_and_then(make_files):
    one, other = make_files(max_entries=40), make_files(max_entries=40)
    for number in range(400):
        (one if number % 2 else other).set(f"key{number}", number)
    assert sum(f"key{number}" in one for number in range(400)) <= 40 + 16


def test_values_larger_than_one_read(cache):
    cache.set("key", b"x" * 3_000_000)
    assert cache.get("key") == b"x" * 3_000_000


WORK = """
    import sys
    from torngas_cache import create_cache

    cache = create_cache("file", sys.argv[1], max_entries=10_000)
    won = 0
    for number in range(200):
        cache.incr("counter")
        won += cache.add(f"key{number}", 1)
        while True:
            value, token = cache.gets("list")
            if cache.cas("list", value + 1.5, token):
                break
    print(won)
"""


def test_incr_add_and_cas_are_atomic_among_processes(folder):
    cache = create_cache("file", folder)
    cache.set("counter", 0, None)
    cache.set("list", 0.0, None)
    command = [sys.executable, "-c", textwrap.dedent(WORK), str(folder)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    won = sum(int(worker.communicate(timeout=50)[0]) for worker in workers)
    assert cache.get("counter") == 800
    assert won == 200
    assert cache.get("list") == 800 * 1.5


def test_path_objects_and_relative_names_are_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    create_cache("file", "relative").set("key", 1)
    monkeypatch.chdir("/")
    assert create_cache("file", Path(tmp_path) / "relative").get("key") == 1
