"""The settings of the guide, and the example of an API, as somebody who looks from outside sees them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from torngas.testing import Client
from torngas.testing.project import project_application

PACKAGE = Path(__file__).resolve().parents[1] / "packages/torngas"
GUIDE = (PACKAGE / "docs/guides/observability.md").read_text(encoding="utf-8")


def requests_in(text):
    return {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "http_requests_total"
    }


def test_the_settings_of_the_guide_serve(tmp_path, monkeypatch):
    """As they are printed, with an app `blog` beside them."""
    [block] = re.findall(r"^```python title=\"settings.py\"\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    blog = tmp_path / "observed_blog"
    blog.mkdir()
    (blog / "__init__.py").write_text("")
    (blog / "urls.py").write_text(
        "from torngas.handler import WebHandler\n\n\nclass Main(WebHandler):\n"
        "    def get(self):\n        self.write('posts')\n\n\nurls = [('/', Main)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    values = {"TORNADO_CONF": {"cookie_secret": "x", "autoreload": False}, "CACHES": {"default": {"BACKEND": "locmem"}}}
    exec(block.replace('"blog"', '"observed_blog"'), values)
    with project_application(values) as application, Client(application) as client:
        page = client.get("/")
        assert page.text == "posts"
        assert re.match(r"middleware;dur=\d+\.\d{3}, handler;dur=", page.headers["Server-Timing"])
        assert len(page.headers["X-Request-ID"]) == 32
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        assert requests_in(client.get("/metrics").text)["/", "200"] == 1
    for name in [name for name in sys.modules if name.startswith("observed_blog")]:
        del sys.modules[name]


@pytest.fixture
def example(monkeypatch):
    """The example's application, whose modules are forgotten afterwards."""
    monkeypatch.chdir(PACKAGE / "examples/api")
    monkeypatch.syspath_prepend(PACKAGE / "examples/api")
    before = set(sys.modules)
    with project_application("settings.settings") as application, Client(application) as client:
        yield client
    for name in set(sys.modules) - before:
        module = sys.modules[name]
        if str(PACKAGE / "examples/api") in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


@pytest.mark.xdist_group("api-example")
def test_the_example_shows_health_metrics_and_timing(example):
    listed = example.get("/notes")
    assert listed.status_code == 200
    assert "handler;dur=" in listed.headers["Server-Timing"]
    checks = json.loads(example.get("/readyz").text)["checks"]
    assert checks["notes"]["status"] == "ok"
    assert requests_in(example.get("/metrics").text)["/notes", "200"] == 1
