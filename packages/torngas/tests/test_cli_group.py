"""The command line itself: help, typos, exit codes, colours, completion."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

from torngas.cli import cli

COMMANDS = [
    ["startproject"],
    ["startapp"],
    ["runserver"],
    ["routes"],
    ["check"],
    ["shell"],
    ["diffsettings"],
    ["db"],
    ["db", "init"],
    ["db", "migrate"],
    ["db", "upgrade"],
    ["db", "downgrade"],
    ["db", "current"],
    ["sessions"],
    ["sessions", "clear"],
    ["cache"],
    ["cache", "clear"],
    ["completion"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command):
    done = CliRunner().invoke(cli, [*command, "--help"])
    assert done.exit_code == 0
    assert f"Usage: cli {' '.join(command)}" in done.output


@pytest.mark.parametrize(
    "command", [[], *(one for one in COMMANDS if one not in ([["sessions"], ["cache"]]))], ids=" ".join
)
def test_help_has_examples(command):
    if command[:1] == ["db"] and len(command) == 2:
        command = ["db"]  # the examples of the group
    output = CliRunner().invoke(cli, [*command, "--help"]).output
    assert "Examples:\n" in output
    assert "torngas " in output.partition("Examples:")[2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["chek"], "check"),
        (["startprojekt"], "startproject"),
        (["rout"], "routes"),
        (["db", "upgrad"], "upgrade"),
        (["sessions", "claer"], "clear"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_command(typed, meant):
    done = CliRunner().invoke(cli, typed)
    assert done.exit_code == 2
    assert f"got the unknown command {typed[-1]!r}; did you mean {meant!r}?" in done.stderr


def test_what_is_near_to_nothing_is_answered_with_all_commands():
    done = CliRunner().invoke(cli, ["xyzzy"])
    assert done.exit_code == 2
    assert "expected one of startproject, startapp, runserver, routes" in done.stderr


def test_an_unknown_option_is_answered_with_the_nearest():
    done = CliRunner().invoke(cli, ["check", "--deplyo"])
    assert done.exit_code == 2
    assert "--deploy" in done.stderr


def test_the_version_is_the_frameworks():
    import torngas

    assert CliRunner().invoke(cli, ["--version"]).output == f"torngas, version {torngas.__version__}\n"


@pytest.mark.parametrize("program", [["-m", "torngas"], ["-c", "from torngas.cli import main; main()"]])
def test_it_runs_as_a_module_and_as_the_script(program):
    done = subprocess.run([sys.executable, *program, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: torngas [OPTIONS] COMMAND")


def test_the_script_is_declared():
    from importlib.metadata import distribution

    (script,) = [one for one in distribution("torngas").entry_points if one.group == "console_scripts"]
    assert (script.name, script.value) == ("torngas", "torngas.cli:main")


def test_a_folder_without_a_project_is_an_error_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TORNGAS_APP_SETTINGS", raising=False)
    done = CliRunner().invoke(cli, ["routes"])
    assert done.exit_code == 1
    assert "expected --settings=MODULE" in done.stderr


def _on_a_terminal(*arguments: str, cwd: str) -> str:
    """Runs the command on a pseudo-terminal and answers what it showed."""
    terminal, program_side = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "torngas", *arguments],
        stdout=program_side,
        stderr=program_side,
        stdin=program_side,
        cwd=cwd,
    )
    os.close(program_side)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    program.wait(30)
    return shown.decode()


def test_colours_only_on_a_terminal(tmp_path):
    assert "\x1b[32mmade" in _on_a_terminal("startproject", "one", cwd=str(tmp_path))
    piped = subprocess.run(
        [sys.executable, "-m", "torngas", "startproject", "two"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "made two/" in piped.stdout
    assert "\x1b" not in piped.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(shell):
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    assert "_TORNGAS_COMPLETE" in done.output


def test_completion_of_an_unknown_shell_is_refused():
    done = CliRunner().invoke(cli, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


def test_the_shell_gets_commands_to_choose_from():
    done = subprocess.run(
        [sys.executable, "-c", "from torngas.cli import cli; cli(prog_name='torngas')"],
        env={**os.environ, "_TORNGAS_COMPLETE": "bash_complete", "COMP_WORDS": "torngas ro", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["plain,routes"]
