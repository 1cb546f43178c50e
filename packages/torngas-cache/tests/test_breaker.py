"""The circuit breaker, by a pretended clock."""

import doctest
import threading

import pytest

from torngas_cache import breaker as module
from torngas_cache.breaker import CircuitBreaker


def test_the_documented_example_runs():
    """The module's docstring is true."""
    assert doctest.testmod(module).failed == 0


def test_opens_with_the_first_failure_and_turns_everybody_away_for_the_window(clock):
    """One failure, then nothing is tried until the window has passed."""
    breaker = CircuitBreaker(window=5, clock=clock)
    assert breaker.allows()
    breaker.failed()
    clock.advance(4.9)
    assert not breaker.allows()
    assert breaker.remaining == pytest.approx(0.1)


def test_lets_one_probe_through_after_the_window(clock):
    """Half open: the first who asks tries, all others wait for what comes of it."""
    breaker = CircuitBreaker(window=5, clock=clock)
    breaker.failed()
    clock.advance(5)
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_successful_probe_closes_it(clock):
    """Afterwards everybody is let through."""
    breaker = CircuitBreaker(window=5, clock=clock)
    breaker.failed()
    clock.advance(5)
    assert breaker.allows()
    breaker.succeeded()
    assert not breaker.is_open
    assert breaker.allows()
    assert breaker.allows()


def test_a_failed_probe_opens_it_for_another_window(clock):
    """At most one timeout per window, however long the outage lasts."""
    breaker = CircuitBreaker(window=5, clock=clock)
    breaker.failed()
    tries = 0
    for _ in range(1000):
        clock.advance(0.1)
        if breaker.allows():
            tries += 1
            breaker.failed()
    assert 19 <= tries <= 20


def test_a_probe_that_never_reports_is_replaced_after_a_window(clock):
    """A cancelled probe does not leave the breaker open for ever."""
    breaker = CircuitBreaker(window=5, clock=clock)
    breaker.failed()
    clock.advance(5)
    assert breaker.allows()
    clock.advance(4.9)
    assert not breaker.allows()
    clock.advance(0.1)
    assert breaker.allows()


def test_counts_failures_in_a_row(clock):
    """With a limit of three, two failures and a success do not add up."""
    breaker = CircuitBreaker(window=5, failures=3, clock=clock)
    for report in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        report()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_a_window_of_zero_never_opens(clock):
    """Switched off."""
    breaker = CircuitBreaker(window=0, clock=clock)
    breaker.failed()
    assert breaker.allows()


@pytest.mark.parametrize("arguments", [{"window": -1}, {"failures": 0}])
def test_refuses_numbers_that_cannot_work(arguments):
    """The message shows what was got and what is expected."""
    with pytest.raises(ValueError, match=r"got .*; expected"):
        CircuitBreaker(**arguments)


def test_one_probe_among_many_threads(clock):
    """The probe is one, whoever asks at the same moment."""
    breaker = CircuitBreaker(window=5, clock=clock)
    breaker.failed()
    clock.advance(5)
    start, allowed = threading.Barrier(8), []

    def ask():
        start.wait()
        allowed.append(breaker.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(True) == 1
