"""Start and stop as the server tells them, and a project as an ASGI application."""

from __future__ import annotations

import asyncio

import pytest

from torngas.application import Application
from torngas.asgi import ASGIAdapter


async def lifespan(app, *kinds):
    incoming, sent = asyncio.Queue(), []
    for kind in kinds:
        incoming.put_nowait({"type": f"lifespan.{kind}"})

    async def send(message):
        sent.append(message)

    async with asyncio.timeout(20):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, incoming.get, send)
    return sent


async def test_hooks_run_at_start_and_stop():
    ran = []
    app = ASGIAdapter(Application([]))

    @app.on_start
    async def first():
        ran.append("first")

    app.on_start(lambda: ran.append("second"))
    app.on_stop(lambda: ran.append("last"))

    @app.on_stop
    async def stopping():
        ran.append("stopping")

    sent = await lifespan(app, "startup", "shutdown")
    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert ran == ["first", "second", "stopping", "last"]


async def test_a_failing_start_is_reported_and_nothing_else_runs(caplog):
    app = ASGIAdapter(Application([]))
    ran = []

    @app.on_start
    def broken():
        raise OSError("no database")

    app.on_start(lambda: ran.append(1))
    assert await lifespan(app, "startup") == [
        {"type": "lifespan.startup.failed", "message": "OSError: no database"},
    ]
    assert ran == []
    assert "no database" in caplog.text


async def test_a_failing_stop_is_reported():
    app = ASGIAdapter(Application([]))
    app.on_stop(lambda: 1 / 0)
    sent = await lifespan(app, "startup", "shutdown")
    assert sent[1] == {"type": "lifespan.shutdown.failed", "message": "ZeroDivisionError: division by zero"}


async def test_the_application_is_closed_at_the_stop():
    application, seen = Application([]), []

    @application.on_shutdown
    async def cleanup():
        seen.append(application.ready)

    assert application.asgi is application.asgi
    await lifespan(application.asgi, "startup", "shutdown")
    assert (seen, application.ready) == ([False], False)


def test_a_project_is_served_as_its_settings_say(project, in_subprocess):
    """Settings, logging, routes and trust, without a command line; the ASGI server's own arguments are left alone."""
    conf = project.folder / "conf.py"
    conf.write_text(conf.read_text() + "XHEADERS = True\nTRUSTED_DOWNSTREAM = ('10.0.0.1',)\n")
    output = in_subprocess(
        f"""
        import asyncio, os, sys
        os.chdir({str(project.folder)!r})
        sys.path.insert(0, {str(project.folder)!r})
        sys.argv = ["uvicorn", "asgi:application", "--unknown-to-us"]
        from torngas.asgi import get_asgi_application
        application = get_asgi_application("conf")
        sent = []

        async def send(message):
            sent.append(message)

        scope = dict(type="http", http_version="1.1", method="GET", scheme="http", path="/", raw_path=b"/",
                     query_string=b"", headers=[(b"host", b"a")], client=("10.0.0.1", 1))
        asyncio.run(application(scope, None, send))
        print(sent[0]["status"], sent[1]["body"].decode(), *application._trusted)
        """
    )
    assert output.split() == ["200", "abc", "10.0.0.1"]


def test_a_wrong_setting_ends_the_program_with_one_line(in_subprocess, tmp_path):
    output = in_subprocess(
        """
        from torngas.asgi import get_asgi_application
        try:
            get_asgi_application("no.such.settings")
        except SystemExit as error:
            print("ended:", str(error.code)[:40])
        """
    )
    assert "ended:" in output


@pytest.mark.parametrize("module", ["torngas.asgi", "torngas.application"])
def test_importing_loads_no_server(in_subprocess, module):
    output = in_subprocess(
        f"""
        import sys, {module}
        print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"uvicorn", "hypercorn", "granian"}}))
        """
    )
    assert output.strip() == "[]"
