"""whitelisted: addresses, networks, the setting."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from torngas.decorators.whitelist import whitelisted
from torngas.exception import ConfigError, HttpForbiddenError
from torngas.settings_manager import settings


def handler(address):
    return SimpleNamespace(request=SimpleNamespace(remote_ip=address))


def admitted(method, address) -> bool:
    try:
        return method(handler(address)) == "ok"
    except HttpForbiddenError as error:
        assert error.status_code == 403
        return False


def test_bare_it_admits_the_addresses_of_the_setting():
    @whitelisted
    def get(self):
        return "ok"

    with settings.override(WHITELIST=("10.1.2.3", "192.168.0.0/16")):
        assert admitted(get, "10.1.2.3")
        assert admitted(get, "192.168.7.7")
        assert not admitted(get, "10.1.2.4")
    with settings.override(WHITELIST=False):
        assert not admitted(get, "127.0.0.1")


@pytest.mark.parametrize("allowed", ["127.0.0.1", ["127.0.0.1", "::1"], ("127.0.0.0/8",)])
def test_with_an_argument_it_admits_those(allowed):
    @whitelisted(allowed)
    def get(self):
        return "ok"

    assert admitted(get, "127.0.0.1")
    assert admitted(get, "::ffff:127.0.0.1")
    assert not admitted(get, "10.0.0.1")
    assert not admitted(get, "")


def test_what_is_no_address_is_refused_when_the_method_is_decorated():
    with pytest.raises(ConfigError, match="got 'localhost'; expected an address or a network"):
        whitelisted("localhost")


def test_a_wrong_setting_is_refused_by_name():
    @whitelisted
    def get(self):
        return "ok"

    with settings.override(WHITELIST=("nowhere",)), pytest.raises(ConfigError, match="WHITELIST: got 'nowhere'"):
        get(handler("127.0.0.1"))
