"""check and check --deploy."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

from torngas.cli import cli
from torngas.cli._deploy import deploy_findings
from torngas.settings_manager import Settings

SECRET = "kP3vN8qZr5tXw2yB7mC4jD9fG6hL1sAe"
GOOD = {
    "DEBUG": False,
    "MIDDLEWARE_CLASSES": ("torngas.middleware.session.SessionMiddleware",),
    "TORNADO_CONF": {"cookie_secret": SECRET, "cross_origin_protection": True},
    "SESSION": {"secure": True},
}

XSRF_ALONE = {"cookie_secret": SECRET, "xsrf_cookies": True, "xsrf_cookie_kwargs": {"secure": True}}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks") / "shop"
    assert CliRunner().invoke(cli, ["startproject", "shop", str(folder)]).exit_code == 0
    return folder


def _check(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORNGAS_")}
    return subprocess.run(
        [sys.executable, "-m", "torngas", "check", *arguments],
        cwd=project,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_new_project_has_no_faults(project):
    done = _check(project)
    assert done.returncode == 0, done.stdout
    assert done.stdout == "settings.settings, 1 route: 0 errors, 0 warnings\n"


def test_a_new_project_can_go_out_with_a_secret(project):
    done = _check(project, "--deploy", "--strict", "--settings=settings.settings_online", COOKIE_SECRET=SECRET)
    assert done.returncode == 0, done.stdout


def test_a_new_project_cannot_go_out_without_one(project):
    done = _check(project, "--deploy", "--settings=settings.settings_online")
    assert done.returncode == 1
    assert "TORNADO_CONF['cookie_secret']: got none" in done.stdout


def test_the_settings_of_development_cannot_go_out(project):
    done = _check(project, "--deploy")
    assert done.returncode == 1
    assert "DEBUG: got True" in done.stdout
    assert "was made for development" in done.stdout
    assert "development-" not in done.stdout


def test_all_mistakes_are_named_at_once(project):
    done = _check(project, TORNGAS_XHEADERS="maybe", TORNGAS_INSTALLED_APPS='["home", "gone"]', TORNGAS_DEBG="1")
    assert done.returncode == 1
    assert "XHEADERS: got 'maybe'; expected True or False" in done.stdout
    assert "INSTALLED_APPS: got 'gone'" in done.stdout
    assert "did you mean 'DEBUG'?" in done.stdout
    assert "2 errors, 1 warning\n" in done.stdout


def test_a_warning_counts_when_it_is_asked_for(project):
    assert _check(project, TORNGAS_DEBG="1").returncode == 0
    assert _check(project, "--strict", TORNGAS_DEBG="1").returncode == 1


def test_an_app_that_does_not_import_is_an_error(project):
    (project / "broken").mkdir(exist_ok=True)
    (project / "broken/urls.py").write_text("import no_such_module\n")
    done = _check(project, TORNGAS_INSTALLED_APPS='["home", "broken"]')
    assert done.returncode == 1
    assert "No module named 'no_such_module'" in done.stdout


def test_a_shadowed_route_is_a_warning(project):
    (project / "twice").mkdir(exist_ok=True)
    (project / "twice/urls.py").write_text(
        "from torngas import Url, route\nfrom torngas.handler import WebHandler\n"
        "u = Url()\nurls = route(u('/a', WebHandler), u('/a', WebHandler))\n"
    )
    done = _check(project, TORNGAS_INSTALLED_APPS='["twice"]')
    assert done.returncode == 0
    assert "'/a' is never reached: '/a' stands before it" in done.stdout


def _texts(**changes: object) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [finding.text for finding in deploy_findings(Settings({**GOOD, **changes}))]


def test_good_settings_have_no_findings():
    assert _texts() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DEBUG": True}, "DEBUG: got True"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "serve_traceback": True}}, "TORNADO_CONF['serve_traceback']"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "cookie_secret": "short"}}, "has 5 characters"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "cookie_secret": "ab" * 20}}, "different characters"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "cookie_secret": {1: SECRET, 2: "x"}}}, "['cookie_secret'][2]"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "cookie_secret": b"short"}}, "has 5 characters"),
        ({"SESSION": {"secure": True, "secret_key": "short"}}, "SESSION['secret_key']"),
        ({"TORNADO_CONF": {"cookie_secret": SECRET}}, "neither cross_origin_protection nor xsrf_cookies"),
        ({"TORNADO_CONF": XSRF_ALONE}, "['cross_origin_protection']: got none"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "xsrf_cookies": True}}, "['xsrf_cookie_kwargs']"),
        ({"TORNADO_CONF": {**GOOD["TORNADO_CONF"], "autoescape": None}}, "['autoescape']"),
        ({"TEMPLATE_CONFIG": {"autoescape": False}}, "TEMPLATE_CONFIG['autoescape']"),
        ({"XHEADERS": True}, "no proxy is believed"),
        ({"TRUSTED_DOWNSTREAM": ("10.0.0.1",)}, "XHEADERS = False"),
        ({"SESSION": {}}, "SESSION['secure']"),
        ({"SESSION": {"secure": True, "httponly": False}}, "SESSION['httponly']"),
        ({"SESSION": {"secure": True, "samesite": None}}, "SESSION['samesite']"),
    ],
)
def test_each_risk_is_named_alone(changes, said):
    (text,) = _texts(**changes)
    assert said in text
    assert SECRET not in text


def test_cookie_flags_of_sessions_matter_only_with_sessions():
    assert _texts(MIDDLEWARE_CLASSES=(), SESSION={}) == []


@pytest.mark.parametrize(("version", "named"), [((6, 4, 2, 0), True), ((6, 6, 0, 0), True), ((6, 6, 1, 0), False)])
def test_releases_of_tornado_with_published_advisories_are_named(monkeypatch, version, named):
    monkeypatch.setattr("tornado.version_info", version)
    assert any("which has published advisories; expected 6.6.1" in text for text in _texts()) == named
