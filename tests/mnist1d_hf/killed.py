"""A process that has imported everything, and runs commands in children of its own that it kills after a while.

Started as a program. Reads one JSON object a line, `{"arguments": [...], "after": seconds or null}`, and answers with
the exit status (negative: the signal), the seconds, and whether processes of the command were left behind.
"""

import json
import os
import signal
import sys
import time


def run(main, arguments):
    """The child: nothing printed, a session of its own."""
    os.setsid()
    sink = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(sink, stream)
    try:
        status = main(arguments)
    except SystemExit as stopped:
        status = stopped.code
    except BaseException:  # whatever it is, the other process is told
        status = 99
    os._exit(status)


def ended(child, after):
    """The status of the child, killed after some seconds unless it has ended; None: never."""
    start = time.monotonic()
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if after is not None and time.monotonic() - start >= after:
            os.kill(child, signal.SIGKILL)
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
        with open(f"/proc/{pid}/stat") as file:
            state, _, group = file.read().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(group) == session and state != "Z"


if __name__ == "__main__":
    from lightning_module.cli import main
    from lightning_module.data_commands import GROUP

    GROUP.parser()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        wanted = json.loads(line)
        start = time.monotonic()
        child = os.fork()
        if not child:
            run(main, wanted["arguments"])
        status = ended(child, wanted["after"])
        seconds = time.monotonic() - start
        answers.write(json.dumps([status, seconds, left_behind(child)]) + "\n")
        answers.flush()
