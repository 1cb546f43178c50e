"""Conditional requests: RFC 9110 §13, precedence and comparison, and 428 of RFC 6585."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from torngas.api.conditional import ConditionalMixin, strong_etag
from torngas.application import Application
from torngas.handler import ApiHandler
from torngas.testing import Client

CHANGED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
SAME = "Fri, 02 Jan 2026 03:04:05 GMT"
BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT"
AFTER = "Fri, 02 Jan 2026 03:04:06 GMT"


class Note(ConditionalMixin, ApiHandler):
    def get(self):
        tag, changed = self.settings.get("tag"), self.settings.get("changed")
        self.check_preconditions(tag, changed)
        self.write("text", status=200 if tag or changed else 404)

    head = put = delete = post = get


class Strict(Note):
    require_precondition = True


@pytest.fixture
def ask():
    clients = []

    def ask(method="GET", headers=None, tag='"v1"', changed=CHANGED, path="/"):
        client = Client(Application([("/", Note), ("/strict", Strict)], tag=tag, changed=changed))
        clients.append(client)
        return client.request(method, path, headers=headers or {})

    yield ask
    for client in clients:
        client.close()


def test_get_and_head_tell_the_validators(ask):
    for method in ("GET", "HEAD"):
        answer = ask(method)
        assert (answer.status_code, answer.headers["ETag"], answer.headers["Last-Modified"]) == (200, '"v1"', SAME)
    assert "Last-Modified" not in ask("PUT").headers


@pytest.mark.parametrize(
    ("headers", "reading", "changing"),
    [
        ({}, 200, 200),
        # If-Match: strong comparison (§13.1.1)
        ({"If-Match": '"v1"'}, 200, 200),
        ({"If-Match": '"v0", "v1"'}, 200, 200),
        ({"If-Match": '"v0",\t"v1"'}, 200, 200),
        ({"If-Match": "*"}, 200, 200),
        ({"If-Match": '"v0"'}, 412, 412),
        ({"If-Match": 'W/"v1"'}, 412, 412),
        ({"If-Match": "v1"}, 412, 412),
        ({"If-Match": '"v1" garbage'}, 412, 412),
        # If-None-Match: weak comparison; 304 for GET and HEAD, else 412 (§13.1.2)
        ({"If-None-Match": '"v1"'}, 304, 412),
        ({"If-None-Match": 'W/"v1"'}, 304, 412),
        ({"If-None-Match": '"v0", W/"v1"'}, 304, 412),
        ({"If-None-Match": "*"}, 304, 412),
        ({"If-None-Match": '"v0"'}, 200, 200),
        # If-Modified-Since: GET and HEAD only (§13.1.3)
        ({"If-Modified-Since": SAME}, 304, 200),
        ({"If-Modified-Since": AFTER}, 304, 200),
        ({"If-Modified-Since": BEFORE}, 200, 200),
        ({"If-Modified-Since": "Friday, 02-Jan-26 03:04:05 GMT"}, 304, 200),
        ({"If-Modified-Since": "Fri Jan  2 03:04:05 2026"}, 304, 200),
        ({"If-Modified-Since": "yesterday"}, 200, 200),
        ({"If-Modified-Since": "Fri, 32 Jan 2026 03:04:05 GMT"}, 200, 200),
        # If-Unmodified-Since (§13.1.4)
        ({"If-Unmodified-Since": SAME}, 200, 200),
        ({"If-Unmodified-Since": AFTER}, 200, 200),
        ({"If-Unmodified-Since": BEFORE}, 412, 412),
        ({"If-Unmodified-Since": "yesterday"}, 200, 200),
        # precedence (§13.2.2)
        ({"If-Match": '"v1"', "If-Unmodified-Since": BEFORE}, 200, 200),
        ({"If-Match": '"v0"', "If-Unmodified-Since": AFTER}, 412, 412),
        ({"If-None-Match": '"v0"', "If-Modified-Since": AFTER}, 200, 200),
        ({"If-None-Match": '"v1"', "If-Modified-Since": BEFORE}, 304, 412),
        ({"If-Match": '"v0"', "If-None-Match": '"v1"'}, 412, 412),
        ({"If-Match": '"v1"', "If-None-Match": '"v1"'}, 304, 412),
        ({"If-Unmodified-Since": BEFORE, "If-None-Match": '"v1"'}, 412, 412),
        ({"If-Unmodified-Since": AFTER, "If-Modified-Since": AFTER}, 304, 200),
    ],
)
def test_conditions_decide_as_the_rfc_says(ask, headers, reading, changing):
    assert ask("GET", headers).status_code == reading
    assert ask("HEAD", headers).status_code == reading
    assert ask("PUT", headers).status_code == changing
    assert ask("DELETE", headers).status_code == changing


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"If-Match": "*"}, 412),
        ({"If-Match": '"v1"'}, 412),
        ({"If-None-Match": "*"}, 404),
        ({"If-None-Match": '"v1"'}, 404),
        ({"If-Modified-Since": AFTER}, 404),
        ({"If-Unmodified-Since": BEFORE}, 404),
    ],
)
def test_a_resource_that_does_not_exist_fits_only_if_none_match(ask, headers, expected):
    """The handler answers 404 where the conditions let it."""
    for method in ("GET", "HEAD", "PUT"):
        assert ask(method, headers, tag=None, changed=None).status_code == expected


def test_dates_are_ignored_without_one_of_the_resource_s(ask):
    assert ask("PUT", {"If-Unmodified-Since": BEFORE}, changed=None).status_code == 200
    assert ask("GET", {"If-Modified-Since": AFTER}, changed=None).status_code == 200


def test_a_weak_tag_never_fits_if_match_and_does_fit_if_none_match(ask):
    assert ask("PUT", {"If-Match": 'W/"v1"'}, tag='W/"v1"').status_code == 412
    assert ask("PUT", {"If-Match": "*"}, tag='W/"v1"').status_code == 200
    assert ask("GET", {"If-None-Match": '"v1"'}, tag='W/"v1"').status_code == 304


def test_a_date_without_a_zone_is_utc_and_others_are_converted(ask):
    naive = CHANGED.replace(tzinfo=None)
    shifted = CHANGED.astimezone(timezone(timedelta(hours=5)))
    assert {ask(changed=one).headers["Last-Modified"] for one in (naive, shifted)} == {SAME}


def test_a_304_has_the_tag_and_no_body(ask):
    answer = ask("GET", {"If-None-Match": '"v1"'})
    assert (answer.body, answer.headers["ETag"]) == (b"", '"v1"')


def test_a_412_tells_the_tag_and_is_a_problem(ask):
    answer = ask("PUT", {"If-Match": '"v0"'})
    assert (answer.headers["ETag"], answer.json()["title"]) == ('"v1"', "Precondition Failed")


def test_a_change_without_a_condition_is_a_428_on_demand(ask):
    for method in ("PUT", "DELETE"):
        answer = ask(method, path="/strict")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (428, "no-store")
        assert "If-Match" in answer.json()["detail"]
        assert ask(method, {"If-Match": '"v1"'}, path="/strict").status_code == 200
        assert ask(method, {"If-Unmodified-Since": SAME}, path="/strict").status_code == 200
    assert ask("PUT", {"If-None-Match": "*"}, tag=None, changed=None, path="/strict").status_code == 404
    assert ask("POST", path="/strict").status_code == 200
    assert ask("GET", path="/strict").status_code == 200


@pytest.mark.parametrize("tag", ["v1", '"v1', '"a"b"', 'w/"v1"', '"a b"', ""])
def test_a_tag_that_is_none_is_the_programmer_s_error(ask, tag):
    assert ask(tag=tag).status_code == 500


def test_strong_tags_differ_with_every_part():
    tags = [strong_etag(*parts) for parts in ((1,), ("1",), (1, 2), (12,), (b"1",), ("a", "bc"), ("ab", "c"), ())]
    assert len(set(tags)) == len(tags)
    assert strong_etag(7, CHANGED) == strong_etag(7, CHANGED)
