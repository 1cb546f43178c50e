"""`torngas check`: what is wrong with the project, all of it at once; `--deploy`: what must not go out."""

from __future__ import annotations

import sys
import warnings

import click

from torngas._errors import STARTUP_ERRORS
from torngas.cli._deploy import deploy_findings
from torngas.cli._findings import Finding
from torngas.cli._output import bad, counted, good, warned
from torngas.cli._project import chosen_settings, open_application, settings_option
from torngas.settings_manager import settings
from torngas.wiring.check import problems_of

__all__ = ["check"]

_EPILOG = """\b
Examples:
  torngas check
  torngas check --deploy --settings=settings.settings_online
  torngas check --deploy --strict        warnings count as errors, as in continuous integration
"""


@click.command(epilog=_EPILOG)
@settings_option
@click.option("--deploy", is_flag=True, help="Also look at secrets, DEBUG, proxies, cookies and Tornado's version.")
@click.option("--strict", is_flag=True, help="Answer status 1 for warnings too.")
def check(module: str | None, deploy: bool, strict: bool) -> None:
    """Looks for mistakes in settings, apps and routes; answers status 1 if there are any."""
    found, served = _findings(module, deploy)
    for finding in found:
        mark = bad("error  ") if finding.is_error else warned("warning")
        click.echo(f"{mark}  {finding.text}")
    errors = sum(finding.is_error for finding in found)
    if found:
        click.echo()
    summary = f"{served}: {counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
    click.echo(bad(summary) if errors else warned(summary) if found else good(summary))
    sys.exit(1 if errors or (strict and found) else 0)


def _findings(module: str | None, deploy: bool) -> tuple[list[Finding], str]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        chosen = chosen_settings(module)
        found = [Finding(text, is_error=True) for text in problems_of(chosen)]
        served = chosen.source
        if not found:
            count, more = _routes(module)
            found += more
            served = f"{served}, {counted(count, 'route')}"
    found += [Finding(str(one.message)) for one in seen if not issubclass(one.category, DeprecationWarning)]
    if deploy:
        found += deploy_findings(settings.current)
    return found, served


def _routes(module: str | None) -> tuple[int, list[Finding]]:
    try:
        with open_application(module) as application:
            infos = application.table.describe()
    except STARTUP_ERRORS as error:
        return 0, [Finding(str(error), is_error=True)]
    return len(infos), [
        Finding(f"{one.origin}: {one.pattern!r} is never reached: {one.shadowed_by!r} stands before it")
        for one in infos
        if one.shadowed
    ]
