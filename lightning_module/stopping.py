"""Ctrl-C and SIGTERM end a command within seconds, whatever it is doing."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType
from typing import Final, NoReturn

GRACE: Final = 1.0  # seconds from the signal until a process that did not end by itself is ended
PATIENCE: Final = 1.6  # seconds for one that was asked to end: it may have a step to take, and a checkpoint to write
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):  # as KeyboardInterrupt, it is no error
    """Somebody wants this command to end.

    Attributes:
        status: The exit status that says so.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


_open = 0  # blocks of `stopping` that this process is in


@contextmanager
def stopping(words: Callable[[], str], *, ask: Callable[[], bool] | None = None) -> Iterator[None]:
    """Raises `Stopped` at Ctrl-C or SIGTERM; ends the process where that does not, or at the second one.

    An exception is raised between two steps of Python only, and code in between may catch it: a library may be in one
    long step, or take the exception for its own. Handlers belong to the main thread; elsewhere this does nothing.

    Args:
        words: What is said if the process has to be ended; one line.
        ask: Asks what is running to end by itself, and returns whether it will. Then `Stopped` is raised at the end of
            the block: what an exception would tear, such as a training step, is done first.

    Raises:
        Stopped: If a signal came, also where something in the block has caught that exception.
    """
    global _open
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ended = threading.Event()
    seen: list[int] = []  # the signal that came

    def end(number: int) -> NoReturn:
        with suppress(OSError, ValueError):
            # A terminal shows ^C where the cursor is. And nobody else can say it.
            print(f"{chr(10) * sys.stderr.isatty()}{words()}", file=sys.stderr, flush=True)  # noqa: T201
        for package in filter(None, map(sys.modules.get, ("multiprocessing", "multiprocess"))):
            for child in package.active_children():
                child.kill()
        os._exit(128 + number)

    def stop(number: int, _: FrameType | None) -> None:
        if seen:
            end(number)
        seen.append(number)
        if ask is None or not ask():
            raise Stopped(number)

    def watch(pipe: socket.socket) -> None:
        while data := pipe.recv(64):
            number = next((each for each in data if each in SIGNALS), None)
            if number is not None and not ended.wait(GRACE if ask is None else PATIENCE):
                end(number)

    # Python writes the number of a signal here at once, also while its main thread is in a long step.
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    wakes = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    # Who starts a command in the background of a shell script has it ignore Ctrl-C.
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    watcher = threading.Thread(target=watch, args=(ours,), daemon=True)
    watcher.start()
    _open += 1
    _leave_children_alone()
    try:
        yield
        if seen:
            raise Stopped(seen[0])
    except BaseException as error:
        if seen and not isinstance(error, Stopped):
            raise Stopped(seen[0]) from error  # Lightning's Trainer makes an exit of it
        raise
    finally:
        _open -= 1
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakes)
        theirs.close()
        watcher.join(GRACE)
        ours.close()


@cache
def _leave_children_alone() -> None:
    """Lets forked children obey signals as other processes do; by the handlers above they would end their parent."""

    def in_child() -> None:
        if _open:
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)
