"""A terminal of a width, in tmux: keys are typed into it, and what is returned is what somebody sees."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seen import Sighting

LINES = 50
LOOK = 0.15  # seconds between two looks
SPIN = 0.2  # seconds of computing that tell how busy the machine is
# The screen is empty when a command begins. When it has ended, its exit status and the time go into a file, unseen.
PROFILE = r"""
PS1='$ '
PS0='\e[2J\e[3J\e[H'
PROMPT_COMMAND='echo "$? $EPOCHREALTIME" >> "$ENDED"'
bind 'set enable-bracketed-paste off'
"""


@dataclass
class Run:
    """A command that has ended.

    Attributes:
        status: Its exit status.
        ended: When, in seconds since 1970.
        lines: What can be read of it, scrolled back; what the edge has broken is one line.
        screens: What was seen meanwhile, and at the end.
    """

    status: int
    ended: float
    lines: list[str]
    screens: list[Sighting] = field(default_factory=list)


class Terminal:
    """A shell in a terminal.

    Args:
        name: Of the tmux server, which nobody else has.
        folder: Where the shell begins.
        scratch: A folder for files of this class.
        width: Columns.
        environment: Variables beside those of this process.
    """

    def __init__(self, name: str, folder: Path, scratch: Path, width: int, environment: dict[str, str]) -> None:
        self.width = width
        self._ended = scratch / f"{name}.ended"
        self._ended.touch()
        profile = scratch / f"{name}.bashrc"
        profile.write_text(PROFILE, encoding="utf-8")
        self._tmux = ["tmux", "-u", "-f", "/dev/null", "-L", name]
        hidden = {"COLUMNS", "LINES", "NO_COLOR", "TMUX", "CI"}
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        self._environment = {**kept, **environment, "ENDED": str(self._ended), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        shell = f"exec bash --noprofile --rcfile '{profile}' -i"
        options = ["set-option", "-g", "history-limit", "5000", ";"]
        size = ["-d", "-x", str(width), "-y", str(LINES), "-c", str(folder)]
        self._call(*options, "new-session", *size, shell)
        self._wait(lambda: bool(self._ends()), 30)

    def close(self) -> None:
        """Ends the shell and what runs in it."""
        self._call("kill-server")

    def type(self, text: str) -> None:
        """Types a line and Enter."""
        self._call("send-keys", "-l", text)
        self._call("send-keys", "Enter")

    def press(self, key: str) -> None:
        """Presses a key."""
        self._call("send-keys", key)

    def lines(self) -> list[str]:
        """Returns what can be read, scrolled back; what the edge has broken is one line."""
        return self._capture("-J", "-S", "-")

    def screen(self) -> Sighting:
        """Returns what is seen now."""
        return Sighting(time.time(), self._capture())

    def start(self, command: str) -> int:
        """Types a command; returns a number for `end`."""
        before = len(self._ends())
        self._call("send-keys", "-R", ";", "clear-history")  # what was there before is not seen again
        self.type(command)
        return before

    def wait_for(self, there: Callable[[list[str]], bool], patience: float) -> bool:
        """Looks until something can be read, scrolled back; returns whether it was."""
        return self._wait(lambda: there(self.lines()), patience)

    def end(self, before: int, patience: float) -> Run:
        """Looks until a command has ended, and returns it.

        Raises:
            TimeoutError: If it takes longer than so many seconds.
        """
        screens: list[Sighting] = []

        def look() -> bool:
            ended = len(self._ends()) > before
            now = self.screen()
            if not screens or list(now.lines) != list(screens[-1].lines):
                screens.append(now)
            return ended

        if not self._wait(look, patience):
            raise TimeoutError("\n".join(self.lines()))
        status, at = self._ends()[before].split()
        seen = self.lines()
        while seen and seen[-1] in {"", "$"}:
            seen.pop()
        return Run(int(status), float(at), seen, screens)

    def run(self, command: str, patience: float = 120) -> Run:
        """Types a command and waits for its end."""
        return self.end(self.start(command), patience)

    def _ends(self) -> list[str]:
        return [line for line in self._ended.read_text(encoding="utf-8").splitlines() if " " in line]

    def _wait(self, done: Callable[[], bool], patience: float) -> bool:
        until = time.monotonic() + patience
        while not done():
            if time.monotonic() > until:
                return False
            time.sleep(LOOK)
        return True

    def _capture(self, *options: str) -> list[str]:
        return [line.rstrip() for line in self._call("capture-pane", "-p", *options).split("\n")]

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], env=self._environment, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout


def slowness() -> float:
    """Returns how many times longer a computation takes now than on a core that nobody else needs; 1 at least."""
    begun, spent = time.perf_counter(), time.thread_time()
    while time.thread_time() - spent < SPIN:
        pass
    return max(1.0, (time.perf_counter() - begun) / SPIN)
