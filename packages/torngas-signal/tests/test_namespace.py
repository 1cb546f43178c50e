"""Named signals: registries, and pickles that find them again."""

import copy
import gc
import pickle
import subprocess
import sys

import pytest

import torngas_signal
from torngas_signal import Namespace, Signal, default_namespace, signal

MODULE_LEVEL = Signal("module level")


class Service:
    saved = Signal("Service.saved")


def test_a_name_is_one_signal_per_namespace():
    one, two = Namespace(), Namespace()
    assert one.signal("paid") is one.signal("paid")
    assert one.signal("paid") is not two.signal("paid")
    assert isinstance(one.signal("paid"), Signal)
    assert one.signal("paid").name == "paid"


def test_the_first_call_documents():
    namespace = Namespace()
    assert namespace.signal("paid", "It was paid.").doc == "It was paid."
    assert namespace.signal("paid", doc="Other").doc == "It was paid."
    assert namespace.signal("sent", providing_args=["mail"]).providing_args == {"mail"}


def test_the_default_namespace():
    made = signal("in the default namespace", "Documented.")
    assert signal("in the default namespace") is made
    assert default_namespace["in the default namespace"] is made
    assert made.doc == "Documented."
    del default_namespace["in the default namespace"]


def test_a_namespace_is_a_mapping():
    namespace = Namespace()
    paid, sent = namespace.signal("paid"), namespace.signal("sent")
    assert dict(namespace) == {"paid": paid, "sent": sent}
    assert (len(namespace), list(namespace), "paid" in namespace, "x" in namespace) == (
        2,
        ["paid", "sent"],
        True,
        False,
    )
    assert repr(namespace) == "Namespace(['paid', 'sent'])"
    other = Signal("other")
    namespace["other"] = other
    assert namespace.signal("other") is other
    del namespace["paid"]
    assert namespace.signal("paid") is not paid
    with pytest.raises(KeyError):
        namespace["missing"]
    namespace.clear()
    assert not namespace


def test_a_weak_namespace_forgets_what_nobody_uses():
    namespace = Namespace(weak=True)
    kept = namespace.signal("kept")
    namespace.signal("lost")
    gc.collect()
    assert dict(namespace) == {"kept": kept}


def test_a_namespace_keeps_its_signals_by_default():
    namespace = Namespace()
    namespace.signal("kept")
    gc.collect()
    assert "kept" in namespace


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "named",
    [
        MODULE_LEVEL,
        Service.saved,
        signal("pickled"),
        Namespace().signal("elsewhere"),
        torngas_signal.lifecycle.call_started,
    ],
    ids=["module", "class", "default namespace", "namespace", "lifecycle"],
)
def test_a_named_signal_pickles_to_itself(named, protocol):
    assert pickle.loads(pickle.dumps(named, protocol)) is named


def test_copies_of_a_named_signal_are_itself():
    assert copy.copy(MODULE_LEVEL) is copy.deepcopy({"x": MODULE_LEVEL})["x"] is MODULE_LEVEL


def test_a_local_signal_pickles_as_long_as_it_lives():
    local = Signal("local")
    data = pickle.dumps(local)
    assert pickle.loads(data) is local
    del local
    with pytest.raises(pickle.UnpicklingError, match="'local'"):
        pickle.loads(data)


def test_an_anonymous_signal_is_refused_by_pickle():
    with pytest.raises(pickle.PicklingError, match=r"expected a named one, e.g. Signal\('saved'\)"):
        pickle.dumps(Signal())


def test_two_signals_of_one_name_and_module_cannot_both_be_pickled():
    older = Signal("twice")
    newer = Signal("twice")
    assert pickle.loads(pickle.dumps(newer)) is newer
    with pytest.raises(pickle.PicklingError, match="different names"):
        pickle.dumps(older)
    del newer
    assert pickle.loads(pickle.dumps(older)) is older


def test_a_pickle_finds_its_signal_in_another_process(tmp_path):
    """By importing the module that makes it."""
    (tmp_path / "shop.py").write_text(
        "from torngas_signal import Namespace, Signal, signal\n"
        "paid = Signal('paid')\nsent = signal('sent')\nback = Namespace().signal('back')\n"
    )
    dump = "import pickle, sys, shop; sys.stdout.buffer.write(pickle.dumps([shop.paid, shop.sent, shop.back]))"
    data = subprocess.run([sys.executable, "-c", dump], cwd=tmp_path, capture_output=True, check=True).stdout
    load = (
        "import pickle, sys; found = pickle.load(sys.stdin.buffer); import shop; "
        "assert all(a is b for a, b in zip(found, [shop.paid, shop.sent, shop.back], strict=True))"
    )
    subprocess.run([sys.executable, "-c", load], cwd=tmp_path, input=data, capture_output=True, check=True)
