"""A process that has imported everything, and runs commands in children of its own that it kills at some moment.

Started as a program, with the modules to import. Reads one JSON object a line: the command's `arguments`, and of the
kill `after` (seconds), `event` (which change of files or locks it comes just before) and `group` (whether the command's
own processes are killed with it). Answers with the exit status (negative: the signal), the seconds, the number of
changes of files and locks, and whether processes of the command were left behind.
"""

import importlib
import json
import mmap
import os
import signal
import sys
import time
from pathlib import Path

OF_FILES = {f"os.{name}" for name in ("rename", "remove", "mkdir", "rmdir", "link", "symlink", "utime", "truncate")}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def changes_files(name, arguments):
    """Whether an event of the interpreter is a change of files, or of a lock."""
    if name == "open":
        return bool((arguments[2] or 0) & WRITES)
    return name in OF_FILES or name == "fcntl.flock"


def watch(counted, wanted):
    """The child: counts the changes, in memory that the other process reads, and dies before the one that is wanted."""

    def hook(name, arguments):
        if not changes_files(name, arguments):
            return
        number = int.from_bytes(counted[:8], "little") + 1
        counted[:8] = number.to_bytes(8, "little")
        if number == wanted["event"]:
            kill(os.getpid(), wanted["group"])

    sys.addaudithook(hook)


def run(main, wanted, counted):
    """The child: nothing printed but into a file, a session of its own."""
    os.setsid()
    said = os.open(os.environ["SAID"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, sink in ((0, nothing), (1, said), (2, said)):
        os.dup2(sink, stream)
    watch(counted, wanted)
    try:
        status = main(wanted["arguments"])
    except SystemExit as stopped:
        status = stopped.code
    except BaseException:  # whatever it is, the other process is told
        sys.excepthook(*sys.exc_info())
        status = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def kill(child, group):
    try:
        (os.killpg if group else os.kill)(child, signal.SIGKILL)
    except ProcessLookupError:  # it has no group of its own yet
        os.kill(child, signal.SIGKILL)


def ended(child, after, group):
    """The status of the child, killed after some seconds unless it has ended; None: never."""
    start = time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if after is not None and time.monotonic() - start >= after:
            kill(child, group)
            after = None
        time.sleep(0.0005)


def left_behind(session):
    """Whether processes of the command are still at work after ten seconds."""
    for _ in range(1000):
        if not any(at_work(int(name), session) for name in os.listdir("/proc") if name.isdigit()):
            return False
        time.sleep(0.01)
    return True


def at_work(pid, session):
    try:
        state, _, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(group) == session and state != "Z"


if __name__ == "__main__":
    from lightning_module.cli import main

    for module in sys.argv[1:]:
        importlib.import_module(module)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        wanted = json.loads(line)
        counted = mmap.mmap(-1, 8)  # shared with the child
        start = time.monotonic()
        child = os.fork()
        if not child:
            run(main, wanted, counted)
        status = ended(child, wanted["after"], wanted["group"])
        seconds = time.monotonic() - start
        answers.write(json.dumps([status, seconds, int.from_bytes(counted[:], "little"), left_behind(child)]) + "\n")
        answers.flush()
