"""Ctrl-C and SIGTERM end a command within seconds, whatever it is doing."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

GRACE: Final = 1.0  # seconds from the signal until a process that did not end by itself is ended
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):  # as KeyboardInterrupt, it is no error
    """Somebody wants this command to end.

    Attributes:
        status: The exit status that says so.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextmanager
def stopping(words: Callable[[], str]) -> Iterator[None]:
    """Raises `Stopped` at Ctrl-C or SIGTERM; ends the process where that does not, or at the second one.

    An exception is raised between two steps of Python only, and code in between may catch it: a library may be in one
    long step, or take the exception for its own. Handlers belong to the main thread; elsewhere this does nothing.

    Args:
        words: What is said if the process has to be ended; one line.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ended = threading.Event()
    seen: list[int] = []  # the signal that came

    def end(number: int) -> NoReturn:
        with suppress(OSError, ValueError):
            print(words(), file=sys.stderr, flush=True)  # noqa: T201  # nobody else can say it
        for child in multiprocessing.active_children():
            child.kill()
        os._exit(128 + number)

    def stop(number: int, _: FrameType | None) -> None:
        if seen:
            end(number)
        seen.append(number)
        raise Stopped(number)

    def watch(pipe: socket.socket) -> None:
        while data := pipe.recv(64):
            number = next((each for each in data if each in SIGNALS), None)
            if number is not None and not ended.wait(GRACE):
                end(number)

    # Python writes the number of a signal here at once, also while its main thread is in a long step.
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    wakes = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    watcher = threading.Thread(target=watch, args=(ours,), daemon=True)
    watcher.start()
    try:
        yield
    except BaseException as error:
        if seen and not isinstance(error, Stopped):
            raise Stopped(seen[0]) from error  # Lightning's Trainer makes an exit of it
        raise
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakes)
        theirs.close()
        watcher.join(GRACE)
        ours.close()
