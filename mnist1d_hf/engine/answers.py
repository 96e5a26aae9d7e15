"""One task, done: its result, or what went wrong, as text that any process can pass on."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mnist1d_hf.extras import MissingExtraError


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        value: Its result.
        what: What went wrong, such as "ValueError: no such thing"; empty if nothing did.
        trace: The traceback, as text.
        is_final: Whether it is certain to go wrong again, as where a package is not installed.
        cause: The exception, where it was raised in this process.
    """

    value: Any = None
    what: str = ""
    trace: str = ""
    is_final: bool = False
    cause: BaseException | None = None


def answer_of(function: Callable[[Any], Any], task: Any) -> Answer:
    """Returns what a function makes of a task, or why it does not."""
    try:
        return Answer(function(task))
    except (Exception, SystemExit) as error:
        return failed(error)


def failed(error: BaseException) -> Answer:
    """Returns the answer that an exception is; without it, which other processes may not be able to load."""
    trace = "".join(traceback.format_exception(error))
    return Answer(what=f"{type(error).__name__}: {error}", trace=trace, is_final=isinstance(error, MissingExtraError))
