"""How long a study takes to end after Ctrl-C, SIGTERM, and SIGKILL of its first process: seconds, worst of some.

    python benchmarks/stopping.py --repeats 3

The study has two workers, both in the middle of a cell of a minute. After SIGKILL they have to end by themselves.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """
import time
from pathlib import Path
from lightning_module.studies import Config, Study, grid

def run_cell(config, cell):
    Path(f"began-{cell['a']}").touch()
    time.sleep(60)
    return [{"a": cell["a"]}]

STUDY = Study(
    name="long", question="?", presets={"quick": Config()}, cells=grid(a=[1, 2, 3]), run_cell=run_cell
)
"""
COMMAND = "from lightning_module.cli import main; raise SystemExit(main())"


def members(group: int) -> int:
    """Returns how many processes of a group have not ended."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return sum(int(g) == group and not state.startswith("Z") for g, state in map(str.split, listed.splitlines()))


def seconds_until_the_end(number: signal.Signals, folder: Path) -> tuple[float, float]:
    """Returns the seconds from a signal to the end of the command, and to that of its last worker."""
    (folder / "long_study.py").write_text(STUDY)
    command = [sys.executable, "-c", COMMAND, "study", "run", "long_study.py", "--workers", "2", "--folder", "run"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while len(list(folder.glob("began-*"))) < 2:
        time.sleep(0.05)
    begun = time.monotonic()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    process.wait()
    ended = time.monotonic() - begun
    while members(process.pid):
        time.sleep(0.01)
    return ended, time.monotonic() - begun


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print("| signal | command ended | last worker ended |\n|---|---|---|")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        measured = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                measured.append(seconds_until_the_end(number, Path(folder)))
        ended, last = (max(each) for each in zip(*measured, strict=True))
        print(f"| {number.name} | {ended:.2f} s | {last:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
