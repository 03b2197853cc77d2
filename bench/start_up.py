"""CPU time of `vision --help` and of every command's help, as a multiple of a bare `python -c pass`.

Bars: 6 for the root, 8 for a command. Runs alternate, and the least of each is compared.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from vision_cli.cli.table import COMMANDS

RUNS = 15
BARE = (sys.executable, "-c", "pass")
TYPER = (sys.executable, "-c", "import typer")


def cpu_seconds(command: tuple[str, ...]) -> float:
    """Return the user and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one line a command."""
    vision = (sys.executable, "-m", "vision_cli")
    commands = {"import typer": TYPER, "vision --help": (*vision, "--help")}
    commands |= {f"vision {name} --help": (*vision, name, "--help") for name in COMMANDS}
    best = dict.fromkeys(["bare", *commands], float("inf"))
    for _ in range(RUNS):
        best["bare"] = min(best["bare"], cpu_seconds(BARE))
        for name, command in commands.items():
            best[name] = min(best[name], cpu_seconds(command))
    print(f"python -c pass           {best['bare'] * 1e3:6.1f} ms of CPU")
    for name in commands:
        bar = 6 if name == "vision --help" else 8
        print(f"{name:<24} {best[name] * 1e3:6.1f} ms  {best[name] / best['bare']:4.1f}x  (bar {bar}x)")


if __name__ == "__main__":
    main()
