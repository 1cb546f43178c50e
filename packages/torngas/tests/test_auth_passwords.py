"""Passwords: scrypt with its parameters in the hash, off the loop, the same work for nobody."""

from __future__ import annotations

import hashlib
import threading

import pytest

from torngas.auth import AuthConfigError, Passwords, ScryptCost

QUICK = ScryptCost(log_n=4, r=8, p=1)


@pytest.fixture
def passwords():
    made = Passwords(QUICK)
    yield made
    made.close()


async def test_the_right_password_is_right_and_no_other(passwords):
    stored = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", stored)
    for wrong in ("", "correct hors", "correct horse ", "Correct horse", "x" * 5000):
        assert not await passwords.verify(wrong, stored)


async def test_a_hash_names_its_parameters_and_is_salted(passwords):
    first, second = await passwords.hash("pass"), await passwords.hash("pass")
    assert first.startswith("$scrypt$ln=4,r=8,p=1$")
    assert first != second
    assert "pass" not in first


async def test_the_hash_is_scrypt_s():
    made = Passwords(QUICK, salt=lambda size: bytes(range(size)))
    try:
        stored = await made.hash("pass")
    finally:
        made.close()
    expected = hashlib.scrypt(b"pass", salt=bytes(range(16)), n=16, r=8, p=1, dklen=32)
    import base64

    assert base64.b64decode(stored.rpartition("$")[2] + "=") == expected


async def test_the_default_cost_is_one_of_owasp_s(passwords):
    assert ScryptCost() == ScryptCost(log_n=15, r=8, p=3)
    assert ScryptCost().memory == 32 << 20
    standard = Passwords()
    try:
        assert await standard.verify("pass", await standard.hash("pass"))
    finally:
        standard.close()


async def test_accents_may_be_composed_or_not(passwords):
    stored = await passwords.hash("caf\u00e9")
    assert await passwords.verify("cafe\u0301", stored)


async def test_nobody_costs_as_much_work_as_somebody(passwords, monkeypatch):
    """Counted, not timed: one scrypt each, of the same parameters."""
    stored = await passwords.hash("pass")
    seen = []
    real = hashlib.scrypt

    def counted(password, **options):
        seen.append((options["n"], options["r"], options["p"], len(options["salt"])))
        return real(password, **options)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    assert not await passwords.verify("wrong", stored)
    assert not await passwords.verify("wrong", None)
    assert seen[0] == seen[1]
    assert len(seen) == 2


async def test_hashing_runs_in_threads_of_its_own_and_few_of_them(monkeypatch):
    made = Passwords(QUICK, threads=1)
    names = set()
    real = hashlib.scrypt

    def noted(password, **options):
        names.add(threading.current_thread().name)
        return real(password, **options)

    monkeypatch.setattr(hashlib, "scrypt", noted)
    try:
        stored = await made.hash("pass")
        for _ in range(3):
            await made.verify("pass", stored)
    finally:
        made.close()
        made.close()
    (name,) = names
    assert name.startswith("torngas-passwords")


async def test_a_hash_of_another_cost_still_verifies_and_wants_to_be_made_anew(passwords):
    weak = Passwords(ScryptCost(log_n=3, r=8, p=1))
    try:
        stored = await weak.hash("pass")
    finally:
        weak.close()
    assert await passwords.verify("pass", stored)
    assert passwords.needs_rehash(stored)
    assert not passwords.needs_rehash(await passwords.hash("pass"))


@pytest.mark.parametrize(
    "stored", ["", "pass", "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA", "$scrypt$ln=4,r=8,p=1$short$" + "A" * 43]
)
async def test_what_is_no_hash_is_an_error_and_is_not_repeated(passwords, stored):
    with pytest.raises(AuthConfigError) as caught:
        await passwords.verify("pass", stored)
    assert not stored or stored not in str(caught.value)


async def test_a_stored_cost_beyond_all_measure_is_refused(passwords):
    stored = await passwords.hash("pass")
    with pytest.raises(AuthConfigError, match="ScryptCost"):
        await passwords.verify("pass", stored.replace("ln=4", "ln=40"))


@pytest.mark.parametrize("password", ["", "x" * 1025])
async def test_an_empty_or_endless_password_is_not_hashed(passwords, password):
    with pytest.raises(ValueError, match="expected 1 to 1024"):
        await passwords.hash(password)


@pytest.mark.parametrize("cost", [{"log_n": 0}, {"log_n": 23}, {"r": 0}, {"p": 17}, {"log_n": 22, "r": 32}])
def test_a_cost_that_cannot_work_is_refused(cost):
    with pytest.raises(AuthConfigError, match="ScryptCost"):
        ScryptCost(**cost)
