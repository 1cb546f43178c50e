import gc

import pytest

from torngas_signal import Signal


@pytest.fixture
def signal():
    return Signal("tested")


@pytest.fixture
def collect():
    """Collects garbage until nothing is left, also what cycles keep."""

    def collect():
        gc.collect()

    return collect
