"""The public names, and an import without effects."""

from __future__ import annotations

import inspect

import torngas


def test_all_is_sorted_and_complete():
    public = {
        name
        for name, value in vars(torngas).items()
        if name == "__version__" or not (name.startswith("_") or inspect.ismodule(value))
    }
    assert torngas.__all__ == sorted(torngas.__all__)
    assert set(torngas.__all__) == public


def test_importing_starts_reads_and_configures_nothing(in_subprocess):
    output = in_subprocess(
        """
        import asyncio, builtins, logging, os, sys, threading
        import tornado.options, tornado.web
        os.environ["TORNGAS_APP_SETTINGS"] = "no.such.module"
        handlers, options = list(logging.root.handlers), set(tornado.options.options)
        import torngas, torngas.handler, torngas.application, torngas.webserver, torngas.signal, torngas.cache
        assert threading.active_count() == 1
        assert logging.root.handlers == handlers
        assert set(tornado.options.options) == options
        assert asyncio.get_event_loop_policy()._local._loop is None
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(sorted(loaded & {"sqlalchemy", "redis", "pymemcache", "mako", "jinja2", "msgpack", "torngas_dbalchemy"}))
        """
    )
    assert output.strip() == "[]"
