"""The configuration."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torngas_session import (
    ConfigurationError,
    ConfigurationTypeError,
    MemoryStore,
    SessionConfig,
    SessionManager,
    SessionMiddleware,
)
from torngas_session.addresses import network_of
from torngas_session.signing import Signer

DOCUMENTED = {
    "session_cache_alias": "default",
    "session_name": "__TORNADOSSID",
    "cookie_domain": "",
    "cookie_path": "/",
    "expires": 0,
    "ignore_change_ip": False,
    "httponly": True,
    "secure": False,
    "secret_key": "fLjUfxqXtfNoIldA0A0J",
    "session_version": "EtdHjDO1",
}


def test_the_documented_mapping_is_accepted():
    config = SessionConfig.from_mapping(DOCUMENTED)
    assert config.cookie_domain is None
    assert config == dataclasses.replace(config)
    assert SessionManager(MemoryStore(), DOCUMENTED).config == config
    assert SessionMiddleware(MemoryStore(), DOCUMENTED).manager.config == config


def test_a_misspelt_option_names_the_nearest():
    with pytest.raises(ConfigurationError, match="did you mean 'idle_timeout'"):
        SessionConfig.from_mapping({"secret_key": "k", "idle_timout": 5})


def test_it_is_frozen_and_hides_its_keys():
    config = SessionConfig(secret_key="the-secret", fallback_keys=["the-former"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.secure = True
    assert "the-" not in repr(config)
    assert config.keys == ("the-secret", "the-former")


@pytest.mark.parametrize(
    "options",
    [
        {"expires": -1},
        {"idle_timeout": 0},
        {"idle_timeout": -5},
        {"absolute_timeout": 0},
        {"conflict": "win"},
        {"on_read_error": "ignore"},
        {"serializer": "yaml"},
        {"serializer": object()},
    ],
)
def test_a_wrong_value_is_refused(options):
    with pytest.raises(ConfigurationError, match="expected"):
        SessionConfig(secret_key="k", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"expires": "60"},
        {"idle_timeout": True},
        {"httponly": "yes"},
        {"secure": "no"},
        {"rolling": 1},
        {"secret_key": ["a", "b"]},
        {"fallback_keys": [1]},
    ],
)
def test_a_wrong_type_is_refused(options):
    with pytest.raises(ConfigurationTypeError, match="expected"):
        SessionConfig(**{"secret_key": "k", **options})


def test_a_store_without_configuration_is_refused():
    with pytest.raises(ConfigurationTypeError, match="expected a SessionManager"):
        SessionMiddleware(MemoryStore())


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=50), st.text(max_size=120))
def test_the_signer_accepts_what_it_signed_and_nothing_else(text, other):
    signer = Signer(["k"], purpose="id")
    signed = signer.sign(text)
    assert signer.verify(signed) == text
    assert signer.verify(other) is None
    assert Signer(["k"], purpose="data").verify(signed) is None
    assert Signer(["k"], purpose="id", version="2").verify(signed) is None
    for index in (0, len(signed) // 2, len(signed) - 1):
        another = "!" if signed[index] == "~" else "~"
        assert signer.verify(signed[:index] + another + signed[index + 1 :]) is None


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_does_not_count(address, lower):
    """Nor does it when the upper half is written otherwise; mapped IPv4 addresses apart."""
    packed = address.packed[:8] + lower.to_bytes(8)
    other = type(address)(packed)
    if address.ipv4_mapped is None and other.ipv4_mapped is None:
        assert network_of(str(address)) == network_of(other.exploded)


@pytest.mark.parametrize("text", ["", None, "0.0.0.0", "nonsense:", "fe80::1%eth0"])
def test_any_address_gives_some_network(text):
    assert isinstance(network_of(text), str)
