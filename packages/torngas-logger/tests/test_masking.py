"""Secrets do not reach a file."""

import json
import logging

import pytest

from torngas_logger import JsonFormatter, LineFormatter, MaskingFilter
from torngas_logger.masking import NAMES

SECRET = "hunter2secret"


@pytest.mark.promise(30)
@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization=Basic {}",
        "Proxy-Authorization: Digest username=x, response={}",
        "Cookie: a=b; __TORNADOSSID={}; c=d",
        'Cookie: a="b"; sid={}',
        "Set-Cookie: id={}; Path=/",
        "__TORNADOSSID={}",
        "__TORNADOID={}; x",
        "session_id={}",
        "sessionid: {}",
        "GET /login?user=x&password={}&y=z",
        "{{'password': '{}'}}",
        '{{"db_password": "a\\"{}"}}',
        '{{\\"password\\": \\"{}\\"}}',
        "{{'Authorization': b'Bearer {}'}}",
        "[('Authorization', 'Basic {}')]",
        "[(b'cookie', b'{}')]",
        "password = '{}",
        "passwd:{}",
        "X-Auth-Token: {}",
        "_xsrf={}",
        "mysql://root:{}@127.0.0.1/db",
        "PASSWORD => {}",
    ],
)
def test_promise_30_credentials_cookies_and_session_ids_are_masked(text):
    """In a message, in its arguments, in an extra field and in an exception."""
    evil = text.format(SECRET)
    for made in (
        logging.LogRecord("x", 20, "x", 1, evil.replace("%", "%%"), (), None),
        logging.LogRecord("x", 20, "x", 1, "%s", (evil,), None),
        logging.makeLogRecord({"msg": "m", "detail": evil}),
        logging.makeLogRecord({"msg": "m", "exc_info": (ValueError, ValueError(evil), None)}),
        logging.makeLogRecord({"msg": "m", "stack_info": evil}),
    ):
        assert MaskingFilter().filter(made)
        for formatter in (LineFormatter("%(message)s"), JsonFormatter()):
            assert SECRET not in formatter.format(made)


@pytest.mark.parametrize(
    "text", ["the broken tokens: none", "GET /x?user=7", "10:30 sold 3", "cookies are nice", "http://h/p"]
)
def test_what_is_no_secret_stays(text):
    """Names are whole words."""
    assert MaskingFilter().mask(text) == text


def test_what_surrounds_a_secret_stays():
    """Only the value goes."""
    assert MaskingFilter().mask("GET /x?password=a&user=b") == "GET /x?password=***&user=b"
    assert MaskingFilter().mask("{'password': 'a b', 'user': 'c'}") == "{'password': '***', 'user': 'c'}"


def test_fields_are_masked_by_their_name_and_in_their_depths():
    """The caller's own mapping is not changed."""
    fields = {"Authorization": SECRET, "nested": [{"api_key": SECRET, "n": 1}]}
    made = logging.makeLogRecord({"msg": "m", "headers": fields, "password": SECRET, "count": 3})
    MaskingFilter().filter(made)
    entry = json.loads(JsonFormatter().format(made))
    assert entry["headers"] == {"Authorization": "***", "nested": [{"api_key": "***", "n": 1}]}
    assert (entry["password"], entry["count"]) == ("***", 3)
    assert fields["Authorization"] == SECRET


def test_the_list_is_configurable():
    """One may add to it or replace it."""
    assert MaskingFilter([*NAMES, "pin"]).mask("pin=1234 password=x") == "pin=*** password=***"
    assert MaskingFilter(["pin"], headers=()).mask("pin=1234 password=x Cookie: a") == "pin=*** password=x Cookie: a"
    assert MaskingFilter([], []).mask("password=x") == "password=x"


def test_a_message_that_cannot_be_built_passes():
    """The handler reports it, not the filter."""
    assert MaskingFilter().filter(logging.LogRecord("x", 20, "x", 1, "%d", ("no",), None))


@pytest.mark.parametrize(
    "text",
    [
        "password" * 5000,
        'password="' * 5000,
        "token" + " " * 50000 + "x",
        "password='" + "\\" * 50000,
        "a://" + ":" * 50000,
    ],
)
def test_masking_takes_linear_time(text):
    """No text of an attacker keeps the expressions busy: twice the text, about twice the steps."""
    import time

    def cost(value):
        return min(_timed(time.process_time, MaskingFilter(), value) for _ in range(3))

    assert cost(text * 2) < 6 * cost(text) + 0.02


def _timed(clock, masking, value):
    start = clock()
    masking.mask(value)
    return clock() - start
