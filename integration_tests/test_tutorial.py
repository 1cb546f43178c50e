"""The tutorial, step by step: the files of a step are written as they are printed, and the project is used."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "packages/torngas/docs/tutorial.md"
FENCE = re.compile(r"^```\w+ title=\"(.+?)\"\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = re.split(r"^## Step \d+: .*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


@pytest.fixture
def at(project):
    """at(step) writes the files of all steps up to that one and serves the project."""

    def start(step):
        for text in STEPS[:step]:
            for name, content in FENCE.findall(text):
                project.write(name, content)
        project.start()
        return project

    return start


def post(project, path, **fields):
    """Sends the form of a page as a browser would, token and all; answers status and body of where that leads."""
    _, body = project.fetch(path)
    (token,) = re.findall(r'name="_xsrf" value="(.+?)"', body)
    data = urllib.parse.urlencode({"_xsrf": token, **fields}).encode()
    return project.fetch(path, data)


def test_the_tutorial_has_the_six_steps():
    assert len(STEPS) == 6
    assert all(FENCE.search(step) for step in STEPS)


def test_step_1_a_page(at):
    assert at(1).get() == "Hello, world!"


def test_step_2_templates_escape(at):
    assert "<p>Is &lt;this&gt; escaped?</p>" in at(2).get()


def test_step_3_a_database(at):
    project = at(3)
    assert "<article>" not in project.get()
    assert project.fetch("/?page=2")[0] == 404


def test_step_4_writing(at):
    project = at(4)
    status, body = post(project, "/write", title="First", text="a & b")
    assert status == 200
    assert "<h2>First</h2><p>a &amp; b</p>" in body
    assert post(project, "/write", title="", text="x")[0] == 422
    assert project.fetch("/write", b"title=x&text=y")[0] == 403


def test_step_5_a_login(at):
    project = at(5)
    assert 'type="password"' in project.get("/write")
    assert post(project, "/login?next=/write", password="wrong")[0] == 422
    status, body = post(project, "/login?next=/write", password="change me")
    assert status == 200
    assert 'name="title"' in body
    assert "<h2>Mine</h2>" in post(project, "/write", title="Mine", text="x")[1]


def test_step_6_the_cache_is_emptied_by_the_signal(at):
    project = at(6)
    post(project, "/login", password="change me")
    assert "<article>" not in project.get()
    assert "<h2>Mine</h2>" in post(project, "/write", title="Mine", text="x")[1]
