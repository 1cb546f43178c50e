"""What the figures were measured on, in one line for the terminal and as a mapping for `--json`."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

__all__ = ["described", "line"]


def _first_line(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((text.split(":", 1)[1].strip() for text in lines if text.startswith(key)), "")


def _load_tool() -> str:
    if not shutil.which("wrk"):
        return "bundled asyncio client"
    text = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((text.stdout or text.stderr).split()[:2]).removesuffix("[epoll]")


def described() -> dict[str, str]:
    """Processor, cores that may be used, memory, system, Python, the program that sends load over HTTP."""
    kilobytes = _first_line("/proc/meminfo", "MemTotal").split()
    return {
        "processor": _first_line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{int(kilobytes[0]) / 2**20:.0f} GiB" if kilobytes else "unknown",
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": _load_tool(),
    }


def line() -> str:
    """The same in one line."""
    found = described()
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory']}; {found['system']}; {found['python']}; "
        f"load: {found['load']}"
    )
