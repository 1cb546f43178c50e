"""The benchmark runner, over small scripts of its own: every option, every exit status, the closing table, the page."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = '''
"""Adds numbers."""
from harness import Bench, Measured, Table

bench = Bench("torngas-a", __doc__, rounds=2, slice_seconds=0.001)

def adding(times):
    def run(n):
        for _ in range(n * times):
            sum(range(100))
    return run

@bench.peer("torngas", package="pip")
def ours():
    return {"add": adding(1), "add twice": adding(2)}

@bench.peer("slow", differs="adds twenty times")
def slow():
    return {"add": adding(20)}

@bench.peer("absent")
def absent():
    import no_such_module_at_all

bench.target("add", peer="torngas", at_most=0.9, of="slow")
bench.target("add", peer="slow", at_most=0.5, of="torngas", note="twenty times the work")

@bench.check
def a_size(args):
    Table("Sizes", ["what", "bytes"], [["thing", "12"]]).show()
    return [Measured("size", "<= 30 B", "12 B", True)]

if __name__ == "__main__":
    raise SystemExit(bench.run())
'''
FAILING_PEER = """
from harness import Bench

bench = Bench("torngas-b", rounds=1, slice_seconds=0.001)

@bench.peer("broken")
def broken():
    raise ValueError("no luck")

@bench.peer("breaks later")
def later():
    def run(n):
        raise OSError("gone")
    return {"go": run}

@bench.peer("fine")
def fine():
    return {"go": lambda n: [None for _ in range(n)]}

@bench.check
def bad_check(args):
    raise KeyError("nothing there")

raise SystemExit(bench.run())
"""


@pytest.fixture
def bench(tmp_path):
    """A checkout with the runner and no scripts; `bench(*arguments, torngas_a=SOURCE)` writes scripts and runs."""
    folder = tmp_path / "tools" / "bench"
    folder.mkdir(parents=True)
    for path in (ROOT / "tools/bench").glob("*.py"):
        if not path.name.startswith("bench_"):
            shutil.copy(path, folder)
    for package in ("torngas-a", "torngas-b"):
        (tmp_path / "packages" / package).mkdir(parents=True)
        (tmp_path / "packages" / package / "pyproject.toml").write_text("")

    def run(*arguments: str, **scripts: str) -> subprocess.CompletedProcess[str]:
        for name, source in scripts.items():
            (folder / f"bench_{name}.py").write_text(source)
        command = [sys.executable, str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)

    run.folder = folder
    return run


def closing(output: str) -> dict[str, str]:
    """The closing table: target and limit -> verdict."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("target ") and line.endswith("verdict"))
    rows = [line.split("  ") for line in lines[start + 1 :] if "  " in line]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    return {f"{row[0]} {row[1]}": row[-1] for row in cells}


def test_all_scripts_run_and_one_table_closes(bench):
    done = bench("--no-checks", torngas_a=SCRIPT, torngas_a_more=SCRIPT.replace("slow", "slower"), torngas_b=SCRIPT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("verdict") == 1
    assert "6 targets: 3 met, 3 missed" in done.stdout
    verdicts = closing(done.stdout)
    assert verdicts["torngas-a: add, torngas <= 0.90 x slow"].startswith("met, ")
    assert verdicts["torngas-a: add, slow <= 0.50 x torngas"] == "MISSED"
    assert "torngas-a: add, slower <= 0.50 x torngas" in verdicts
    assert "torngas-b: add, slow: twenty times the work" in done.stdout


def test_the_output_names_the_machine_and_the_peers_versions(bench):
    done = bench("torngas-a", torngas_a=SCRIPT)
    first, second = done.stdout.splitlines()[:2]
    assert " cores" in first
    assert "Python" in first
    assert second.startswith("# torngas-a: Python ")
    assert "pip " in second
    assert "# absent: left out (No module named 'no_such_module_at_all')" in done.stdout
    assert "adds twenty times" in done.stdout


def test_a_missed_target_shows_in_the_exit_status_only_if_strict(bench):
    assert bench("torngas-a", torngas_a=SCRIPT).returncode == 0
    assert bench("torngas-a", "--strict").returncode == 1
    assert bench("torngas-a", "--strict", "--only", "twice").returncode == 0


def test_a_target_that_was_not_measured_is_missed(bench):
    script = SCRIPT.replace('bench.target("add", peer="torngas"', 'bench.target("subtract", peer="torngas"')
    done = bench("torngas-a", "--strict", torngas_a=script)
    assert done.returncode == 1
    assert closing(done.stdout)["torngas-a: subtract, torngas <= 0.90 x slow"] == "MISSED"
    assert "not measured" in done.stdout


def test_peers_are_chosen_by_name(bench):
    done = bench("--peers", "torngas", torngas_a=SCRIPT, torngas_b=SCRIPT.replace('"torngas"', '"another"'))
    assert done.returncode == 0, done.stderr
    assert "slow" not in done.stdout
    assert done.stdout.count("# torngas-a: Python") == 1


def test_peers_that_no_script_knows_are_refused_with_those_that_there_are(bench):
    done = bench("--peers", "torngas,nobody", torngas_a=SCRIPT)
    assert done.returncode == 2
    assert "unknown peers ['nobody']; known: ['absent', 'slow', 'torngas']" in done.stderr


def test_only_chooses_scenarios_and_checks_by_parts_of_their_names(bench):
    done = bench("--only", "twice", torngas_a=SCRIPT)
    assert "add twice" in done.stdout
    assert "Sizes" not in done.stdout
    done = bench("--only", "size")
    assert "add" not in done.stdout
    assert closing(done.stdout) == {"torngas-a: size <= 30 B": "met, 2.5 x to spare"}


def test_no_checks_leaves_timings_only(bench):
    done = bench("--no-checks", torngas_a=SCRIPT)
    assert "add twice" in done.stdout
    assert "Sizes" not in done.stdout


def test_json_keeps_everything_of_all_scripts(bench, tmp_path):
    file = tmp_path / "run.json"
    assert bench("--rounds=3", f"--json={file}", torngas_a=SCRIPT, torngas_b=SCRIPT).returncode == 0
    data = json.loads(file.read_text())
    assert {"machine", "date", "arguments", "seconds", "scripts"} == data.keys()
    assert [result["package"] for result in data["scripts"]] == ["torngas-a", "torngas-b"]
    result = data["scripts"][0]
    assert [[scenario, peer, len(values)] for scenario, peer, values in result["samples"]] == [
        ["add", "torngas", 3],
        ["add twice", "torngas", 3],
        ["add", "slow", 3],
    ]
    assert [row["met"] for row in result["targets"]] == [True, False, True]
    assert result["targets"][1]["note"] == "twenty times the work"
    assert result["tables"][-1] == {"title": "Sizes", "columns": ["what", "bytes"], "rows": [["thing", "12"]]}
    assert result["versions"].keys() == {"pip"}
    assert (result["failures"], result["differs"]) == ([], {"slow": "adds twenty times"})


def test_a_script_alone_has_the_same_options(bench, tmp_path):
    bench("--list", torngas_a=SCRIPT)
    command = [sys.executable, str(bench.folder / "bench_torngas_a.py"), "--quick", "--strict", "--peers=torngas,slow"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "3 targets: 2 met, 1 missed" in done.stdout
    done = subprocess.run([*command[:2], "--peers=nobody"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2


def test_what_fails_is_named_and_ends_nobody_else(bench):
    done = bench(torngas_a="raise SystemExit(7)", torngas_a_b=FAILING_PEER, torngas_b=SCRIPT)
    assert done.returncode == 1
    assert "FAILED torngas-a: exit status 7" in done.stdout
    assert "FAILED torngas-a-b: broken: ValueError: no luck" in done.stdout
    assert "FAILED torngas-a-b: go, breaks later: OSError: gone" in done.stdout
    assert "FAILED torngas-a-b: bad check: KeyError: 'nothing there'" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("go ") and " fine " in line]
    assert closing(done.stdout)["torngas-a: bad check measured"] == "MISSED"
    assert closing(done.stdout)["torngas-b: add, slow <= 0.50 x torngas"] == "MISSED"


def test_a_script_that_hangs_is_ended(bench):
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(bench.folder)!r}); "
        f"run = runpy.run_path({str(bench.folder / '__main__.py')!r}); print(run['_finished'](['sleep', '1000'], 1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "not done after 1 s, ended", done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_script_with_all_that_it_started(bench, tmp_path, number):
    pids = tmp_path / "pids"
    hanging = (
        "import os, pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '1000'])\n"
        f"part = pathlib.Path({str(pids)!r} + '.part')\npart.write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        f"part.rename({str(pids)!r})\ntime.sleep(1000)\n"
    )
    bench("--list", torngas_a=hanging)
    with subprocess.Popen([sys.executable, str(bench.folder)], stderr=subprocess.PIPE) as runner:
        try:
            deadline = time.monotonic() + 60
            while not pids.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            runner.send_signal(number)
            assert runner.communicate(timeout=60)[1].endswith(b"tools/bench: interrupted\n")
            assert runner.returncode == 1
        finally:
            runner.kill()
    for pid in map(int, pids.read_text().split()):
        wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return
        if state == "Z":
            return  # ended; whoever adopted it has not looked yet
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


def test_a_budget_of_seconds_stops_the_rounds(bench, tmp_path):
    file = tmp_path / "run.json"
    bench("torngas-a", "--rounds=100000", "--seconds=1", f"--json={file}", torngas_a=SCRIPT)
    counts = [len(values) for _, _, values in json.loads(file.read_text())["scripts"][0]["samples"]]
    assert all(0 < count < 100_000 for count in counts)


def test_an_unknown_package_is_refused_with_those_that_there_are(bench):
    done = bench("torngas-z", torngas_a=SCRIPT)
    assert done.returncode == 2
    assert "no benchmark for 'torngas-z'; there are torngas-a" in done.stderr


def test_one_script_of_a_package_is_chosen_by_its_name(bench):
    done = bench("torngas-a-more", "--list", torngas_a=SCRIPT, torngas_a_more=SCRIPT)
    assert done.stdout.split() == ["torngas-a", "torngas-a-more"]


PAGE = "# Speed\n\nBefore.\n\n<!-- figures, written by tools/bench -->\nold\n<!-- end of the figures -->\n\nAfter.\n"


def test_the_page_is_written_from_the_figures_of_a_run(bench, tmp_path):
    file, page = tmp_path / "run.json", tmp_path / "page.md"
    page.write_text(PAGE)
    bench("--rounds=2", f"--json={file}", torngas_a=SCRIPT, torngas_b=FAILING_PEER)
    done = bench("--report", str(file), "--to", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("# Speed\n\nBefore.\n\n<!-- figures")
    assert text.endswith("<!-- end of the figures -->\n\nAfter.\n")
    assert "old" not in text
    assert '`make bench BENCH_ARGS="--rounds=2"`' in text
    assert str(tmp_path) not in text
    assert "| torngas-a | add, slow | &lt;= 0.50 x torngas | " in text
    assert " | MISSED |\n" in text
    assert "- torngas-a, add, slow: twenty times the work" in text
    assert "`make bench PKG=torngas-a`, ns per operation (ratio to torngas): medians of 2 rounds" in text
    assert "|  | torngas | slow |\n| --- | --- | --- |\n| add | " in text
    assert "- slow: adds twenty times" in text
    assert "`make bench PKG=torngas-a`: Sizes\n\n| what | bytes |\n" in text
    assert "Not measured: torngas-b: broken: ValueError: no luck; " in text
    assert bench("--report", str(file), "--to", str(page)).returncode == 0
    assert page.read_text() == text


def test_a_page_without_marks_or_a_file_of_another_kind_is_left_alone(bench, tmp_path):
    file, page = tmp_path / "run.json", tmp_path / "page.md"
    page.write_text("# Speed\n")
    bench("--no-checks", f"--json={file}", torngas_a=SCRIPT)
    assert bench("--report", str(file), "--to", str(page)).returncode == 2
    assert page.read_text() == "# Speed\n"
    page.write_text(PAGE)
    for wrong in ("{}", "[]", "nonsense"):
        file.write_text(wrong)
        done = bench("--report", str(file), "--to", str(page))
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert page.read_text() == PAGE


SERVER = """
import asyncio, sys
from harness import Bench
from load import Servers

servers = Servers(__file__)
bench = Bench("torngas-a", rounds=2)

@servers.add("plain", "/here", **{"X-Asked": "yes"})
def plain(port):
    async def answer(reader, writer):
        while (head := await reader.readuntil(b"\\r\\n\\r\\n")):
            good = head.startswith(b"GET /here ") and b"X-Asked: yes" in head
            status = b"200 OK" if good else b"500 No"
            writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
            await writer.drain()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(main())

@bench.check
def requests(args):
    with servers.running() as load:
        if "HOLD" in __import__("os").environ:
            server = load.servers["plain"]
            print(server.process.pid, server.port, flush=True)
            sys.stdin.read()
        load.measure(rounds=args.rounds, seconds=0.3, connections=2).print_table("plain")
    return []

if __name__ == "__main__":
    servers.serve_if_asked(sys.argv)
    raise SystemExit(bench.run())
"""


@pytest.mark.parametrize("client", ["wrk", "the bundled client"])
def test_requests_are_counted_by_either_client(bench, monkeypatch, client):
    if client == "wrk" and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    if client != "wrk":
        monkeypatch.setenv("BENCH_OWN_CLIENT", "1")
    done = bench("torngas-a", torngas_a=SERVER)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("plain ")).split()
    rate, ratio, _, cpu, _, p50, p90, p99 = (float(cell.replace(",", "")) for cell in row[1:])
    assert (rate > 0, cpu > 0, ratio) == (True, True, 1)
    assert 0 < p50 <= p90 <= p99


def test_a_server_ends_with_the_script_that_started_it(bench):
    bench("--list", torngas_a=SERVER)
    script = subprocess.Popen(
        [sys.executable, str(bench.folder / "bench_torngas_a.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "HOLD": "1"},
    )
    with script:
        lines = iter(script.stdout.readline, b"")
        pid, port = next(map(int, line.split()) for line in lines if line[:1].isdigit())
        socket.create_connection(("127.0.0.1", port), 20).close()
        script.send_signal(signal.SIGKILL)
        script.stdin.close()
    wait_until_gone(pid)


def test_memory_is_counted_in_a_process_of_its_own(bench):
    script = (
        "from harness import Bench\nfrom sizes import Sizes\n"
        "bench = Bench('torngas-a')\nsizes = Sizes(bench, 'things', count=2000)\n"
        "@sizes.peer('kilobytes', differs='bytes')\n"
        "def kilobytes(count):\n    kept = []\n    return lambda: kept + [bytes(1000) for _ in range(count)]\n"
        "@sizes.peer('nothing')\ndef nothing(count):\n    return lambda: None\n"
        "raise SystemExit(bench.run())\n"
    )
    done = bench("torngas-a", torngas_a=script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Memory per 100,000 things, from 2,000:" in done.stdout
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert 1000 <= int(rows["kilobytes"][2].replace(",", "")) < 1200
    assert int(rows["nothing"][2]) < 10


def test_every_package_of_this_repository_has_scripts_and_a_start_up():
    command = [sys.executable, str(ROOT / "tools/bench"), "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout.split()
    found = set(zip(listed[::2], listed[1::2], strict=True))
    for path in (ROOT / "packages").glob("*/pyproject.toml"):
        package = path.parent.name
        assert (package, f"{package}-start-up") in found
        assert [script for one, script in found if one == package and script != f"{package}-start-up"]
    assert ("torngas", "torngas-http") in found
