"""Walks the README and the first lesson in terminals of some widths, each in a clone, and looks at what is seen.

    python first_hour.py SCRATCH --widths 80 60

What is typed is read from the pages themselves. `tests/first_hour.sh` makes the clones, SCRATCH/80/mnist1d-hf and so
on, with an environment in `.venv`.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from blocks import FENCE
from seen import Sighting, after_stop, bars, broken, control_codes, cut, never, untrue_bars
from terminal import Run, Terminal, slowness

PAGES = "README.md", "docs/first-lesson.md"
LEFT_OUT = {
    "make test": "the tests, which CI runs by themselves",
    "pip install": "the environment is there already",
}
ANSWERS = "0123456789"
FIT = "mnist1d fit --config cnn --trainer.max_steps 300"
STUDY = "mnist1d study run benchmark --preset smoke"
MOST_SECONDS = 2.0  # from Ctrl-C to the prompt, where nothing else needs the cores
WIDE = 80  # columns from which on a bar has room for the speed
MOST_FAULTS = 6  # of a command, that are printed
PATIENCE = 400.0  # seconds for a command


@dataclass(frozen=True)
class Step:
    """What is typed, and what has to be seen then.

    Attributes:
        command: The line.
        status: The exit status.
        shows: What has to be somewhere in the text, as regular expressions.
        totals: The steps of each training, for its bars.
        most_lines: How many lines there may be.
        is_piped: Whether the same goes into a pipe, to compare.
    """

    command: str
    status: int = 0
    shows: tuple[str, ...] = ()
    totals: tuple[int, ...] = ()
    most_lines: int = 200
    is_piped: bool = False


EXTRA = [
    Step("mnist1d", shows=("usage: mnist1d", "mnist1d demo"), is_piped=True),
    Step("mnist1d --version", shows=(r"mnist1d \d+\.\d+", r"torch \d"), is_piped=True),
    Step("mnist1d tain", 2, shows=("error: .*tain",), most_lines=6, is_piped=True),
    Step("mnist1d fit --help", shows=("--trainer.max_steps", "--help-all"), most_lines=120, is_piped=True),
    Step("mnist1d fit --trainer.max_step 9", 2, shows=("error: .*max_step", "max_steps"), most_lines=6, is_piped=True),
    Step("mnist1d fit --config cn", 2, shows=("cnn", "gru", "logistic", "mlp"), most_lines=6, is_piped=True),
    Step("mnist1d data list", shows=("label-noise",), is_piped=True),
    Step("mnist1d data info default", shows=("SHA-256",), is_piped=True),
    Step("mnist1d study verify lottery --folder docs/results/lottery", shows=(r"95 %",), is_piped=True),
    Step(FIT, shows=("Test accuracy", "published", "Checkpoint:", "Next:"), totals=(300,), is_piped=True),
]


@dataclass
class Hour:
    """One walk, in one terminal.

    Attributes:
        clone: Its folder.
        terminal: The terminal.
        piped: What commands write into a pipe.
        only: Which commands.
        faults: What was found.
    """

    clone: Path
    terminal: Terminal
    piped: Callable[[str], "Future[bytes]"]
    only: re.Pattern[str] = re.compile("")
    faults: list[str] = field(default_factory=list)

    def walk(self) -> None:
        """Walks all of it."""
        for line in ("source .venv/bin/activate", "export HF_HOME=$PWD/../hf"):
            self.terminal.run(line)
        for step in EXTRA:
            self.step(step)
        for page in PAGES:
            for language, code in blocks_of(self.clone / page):
                self.block(page, language, code)
        for command, there in STOPS.items():
            if self.only.search(f"Ctrl-C {command}"):
                self.stop(command, there)

    def is_clean(self) -> None:
        """Notes files that are left behind where git sees them."""
        command = ["git", "status", "--porcelain"]
        left = subprocess.run(command, cwd=self.clone, capture_output=True, text=True, check=True).stdout
        self.note("nothing is left behind", [f"left behind: {line}" for line in left.splitlines()])

    def block(self, page: str, language: str, code: str) -> None:
        """Does what a block of a page says."""
        if language == "python":
            stem = Path(page).stem
            file = self.clone.parent / f"{stem}-{len([*self.clone.parent.glob(f'{stem}-*.py')]) + 1}.py"
            file.write_text(code, encoding="utf-8")
            steps = re.search(r"max_steps=(\d+)", code)
            self.step(Step(f"python ../{file.name}", totals=(int(steps[1]),) if steps else ()))
        elif language == "console":
            for line in code.splitlines():
                self.line(page, line)

    def line(self, page: str, line: str) -> None:
        """Does what a line of a page says."""
        reason = next((why for start, why in LEFT_OUT.items() if line.startswith(start)), None)
        if reason:
            self.say(f"left out: {line} ({reason})")
        elif line.startswith("mnist1d quiz"):
            if self.only.search(line):
                self.quiz(line)
        elif line == "make demo":
            self.step(Step(line, shows=("the frozen 2020 data",), totals=(6000,)))
        elif line.startswith(("mnist1d demo", "mnist1d fit")):
            steps = re.search(r"steps (\d+)", line)
            self.step(Step(line, shows=(r"\d\d\.\d ?%",), totals=(int(steps[1]) if steps else 6000,)))
        else:
            self.note(line, [f"{page} has a command that nobody walks; add it to first_hour.py"])

    def step(self, step: Step) -> None:
        """Types a command and looks at it."""
        if not self.only.search(step.command):
            return
        begun = time.time()
        self.judge(step, self.terminal.run(step.command, PATIENCE), begun)

    def judge(self, step: Step, run: Run, begun: float) -> None:
        """Notes what is wrong with a command that has ended."""
        text, width = "\n".join(run.lines), self.terminal.width
        # Else a Trainer of the reader's, with what Lightning says of itself.
        ours = not step.command.startswith("python")
        found = never([line for screen in run.screens for line in screen.lines] + run.lines, ours=ours)
        found += broken(run.lines, width) if ours else []
        if run.status != step.status:
            found.append(f"exit status {run.status}, not {step.status}")
        flat = " ".join(text.split())
        found += [f"not shown: {pattern}" for pattern in step.shows if not re.search(pattern, flat)]
        if len(run.lines) > step.most_lines:
            found.append(f"{len(run.lines)} lines, more than {step.most_lines}")
        if step.totals:
            whole = Sighting(run.ended, run.lines)
            totals = step.totals if ours else step.totals * max(1, len(bars(whole)))
            found += untrue_bars([*run.screens, whole], totals, wide=width >= WIDE)
        if step.is_piped:
            piped = self.piped(step.command).result()
            found += control_codes(piped) + cut(run.lines, piped.decode())
        self.note(step.command, found, text, time.time() - begun)

    def quiz(self, command: str) -> None:
        """Answers each question of a quiz, ten at a time."""
        begun, number = time.time(), int(re.search(r"--number (\d+)", command)[1])  # type: ignore[index]
        before = self.terminal.start(command)
        for batch in range(-(-number // 10)):
            shown = f"Signals {10 * batch + 1} to"
            ready = lambda lines, shown=shown: any(shown in each for each in lines) and asked(lines)  # noqa: E731
            if not self.terminal.wait_for(ready, 60):
                self.note(command, [f"no question {shown!r}"], "\n".join(self.terminal.lines()))
                self.terminal.press("C-c")
                break
            self.terminal.type(ANSWERS)
        run = self.terminal.end(before, 60)
        self.judge(Step(command, shows=("you", "a person", r"Saved: ", r"95 % interval")), run, begun)
        whole = self.piped(command).result()
        self.note(f"{command} (and in a pipe)", control_codes(whole) + cut(run.lines, whole.decode()))

    def stop(self, command: str, there: Callable[[list[str]], bool]) -> None:
        """Presses Ctrl-C in the middle of a command."""
        begun = time.time()
        before = self.terminal.start(command)
        if not self.terminal.wait_for(there, 120):
            self.note(f"Ctrl-C in {command}", ["it does not begin"], "\n".join(self.terminal.lines()))
        time.sleep(1)
        old, pressed = self.terminal.lines(), time.time()
        self.terminal.press("C-c")
        slower = slowness()
        run = self.terminal.end(before, 60)
        found = never(run.lines) + after_stop(old, run.lines)
        if run.status != 130:
            found.append(f"exit status {run.status}, not 130")
        if run.ended - pressed > MOST_SECONDS * slower:
            found.append(f"{run.ended - pressed:.1f} s until the prompt")
        what = f"Ctrl-C in {command} ({run.ended - pressed:.1f} s until the prompt)"
        self.note(what, found, "\n".join(run.lines), time.time() - begun)

    def note(self, what: str, found: list[str], text: str = "", seconds: float | None = None) -> None:
        """Prints how a step went, with the screen if anything is wrong."""
        found = list(dict.fromkeys(found))
        took = f" [{seconds:.0f} s]" if seconds is not None else ""
        self.say(f"{'RED' if found else 'ok'}: {what}{took}")
        for fault in found[:MOST_FAULTS]:
            self.say(f"    {fault}")
        if found and text:
            self.say("    the screen:\n" + "\n".join(f"    | {line}" for line in text.splitlines()[-40:]))
        self.faults += [f"{what}: {fault}" for fault in found]

    def say(self, text: str) -> None:
        """Prints a line with the width of the terminal in front."""
        print(f"{self.terminal.width:3} columns  {text}\n", end="", flush=True)  # noqa: T201 (one write: two walks print)


def asked(lines: list[str]) -> bool:
    """Returns whether the quiz waits for an answer."""
    shown = [line for line in lines if line]
    return bool(shown) and re.fullmatch(r"\d+( to \d+)?:", shown[-1].strip()) is not None


def moves(lines: list[str]) -> bool:
    """Returns whether a training has begun."""
    return any(re.search(r"[1-9][\d,]*/[\d,]+ - ", line) for line in lines)


STOPS: dict[str, Callable[[list[str]], bool]] = {
    "mnist1d fit --config cnn": moves,
    "mnist1d demo": moves,
    STUDY: lambda lines: any(re.search(r"\d+/\d+", line) for line in lines),
    "mnist1d quiz --number 20 --seed 1": asked,
}


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Returns language and code of each block of a page."""
    return [(each["language"].strip(), each["code"]) for each in FENCE.finditer(page.read_text(encoding="utf-8"))]


def in_a_pipe(clone: Path, folder: Path, command: str) -> bytes:
    """Returns what a command writes into a pipe."""
    hidden = {"COLUMNS", "LINES", "TERM"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment |= {"PATH": f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
    environment |= {"HF_HOME": str(clone.parent / "hf"), "LC_ALL": "C.UTF-8"}
    answers = (ANSWERS + "\n") * 10 if " quiz" in command else ""
    return subprocess.run(
        ["bash", "-c", f"{command} 2>&1 | cat"],
        cwd=folder,
        env=environment,
        input=answers.encode(),
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    ).stdout


def main() -> int:
    """Walks in each width at the same time; returns 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=[80, 60])
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="commands that match; all if not given")
    options = parser.parse_args()
    scratch, begun, pool = options.scratch.resolve(), time.time(), ThreadPoolExecutor(1)
    clones = {width: scratch / str(width) / "mnist1d-hf" for width in options.widths}
    asked_for: dict[str, Future[bytes]] = {}
    lock = threading.Lock()

    def piped(command: str) -> "Future[bytes]":
        with lock:
            if command not in asked_for:
                asked_for[command] = pool.submit(
                    in_a_pipe, clones[options.widths[0]], scratch / "pipe" / "mnist1d-hf", command
                )
            return asked_for[command]

    def walk(width: int) -> list[str]:
        terminal = Terminal(f"columns-{width}", clones[width], scratch, width, {"VIRTUAL_ENV_DISABLE_PROMPT": "1"})
        try:
            hour = Hour(clones[width], terminal, piped, options.only)
            hour.walk()
            hour.is_clean()
        finally:
            terminal.close()
        return [f"{width} columns: {fault}" for fault in hour.faults]

    with ThreadPoolExecutor(len(options.widths)) as walks:
        faults = [fault for found in walks.map(walk, options.widths) for fault in found]
    pool.shutdown()
    found = f"{len(faults)} faults" if faults else "as it should be"
    print(f"first hour: {found}; {(time.time() - begun) / 60:.1f} minutes")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
