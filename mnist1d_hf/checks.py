"""Checks of what users pass: a value that works in its plain form, or an error that names field, value and remedy.

A value may be anything: an array, a tensor, a type, a number of a thousand digits, an object that fails whatever it is
asked. None of the checks ends in another error than the one it is there to raise.
"""

import difflib
import math
import operator
import os
import reprlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice
from numbers import Real
from typing import Any, Final, TypeVar, cast

LONGEST: Final = 80  # characters of a value in a message
MOST_BITS: Final = 256  # of an integer that is shown with all its digits
DIGIT: Final = 0.30103  # log10(2)
MEMORY_LIMIT: Final = "/sys/fs/cgroup/memory.max"  # what a container may have

Name = TypeVar("Name", bound=str)


class _Shortened(reprlib.Repr):
    """Values in a few words, however large or hostile they are."""

    def repr_int(self, value: int, level: int) -> str:
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= MOST_BITS else f"<an integer of {int(bits * DIGIT) + 1} digits>"

    def repr_instance(self, value: Any, level: int) -> str:
        try:
            return " ".join(str.__str__(repr(value)).split())
        except Exception:
            return f"<a {kind_of(value)}>"


def shown(value: Any) -> str:
    """Returns the value as it would be typed, on one line and not longer than a few words."""
    shortened = _Shortened()
    shortened.maxstring = shortened.maxother = shortened.maxlong = LONGEST
    try:
        text = shortened.repr(value)
    except Exception:
        text = f"<a {kind_of(value)}>"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def kind_of(value: Any) -> str:
    """Returns the name of the value's type."""
    return str(type.__dict__["__name__"].__get__(type(value)))[:LONGEST]


def nearest(name: Any, known: Iterable[str]) -> str:
    """Returns the end of an error message about an unknown name: the closest known one, and all of them."""
    known = list(known)
    text = str.__str__(name)[:LONGEST] if isinstance(name, str) else ""
    close = difflib.get_close_matches(text, known, n=1)
    return (f"; did you mean {close[0]!r}?" if close else ";") + f" Known: {', '.join(known)}"


def is_bool(value: Any) -> bool:
    """Returns whether this is True or False, Python's or NumPy's."""
    return isinstance(value, bool) or kind_of(value) in {"bool", "bool_"}  # numpy's, without importing numpy here


def whole_number(
    name: str, value: Any, low: int, high: int | None = None, *, error: type[ValueError] = ValueError, also: str = ""
) -> int:
    """Returns the value as an int from ``low`` to ``high``, both included.

    Args:
        name: Of the field, as it is typed.
        value: Anything.
        low: The lowest value allowed.
        high: The highest; None for no bound.
        error: What is raised.
        also: What else would be allowed, for the message: ", or None for all".

    Raises:
        ValueError: If it is no such number, as ``error``.
    """
    found = None if is_bool(value) else _integer(value)
    bounds = f"from {low} to {high}" if high is not None else f"at least {low}"
    if found is None:
        real = None if is_bool(value) else _real(value)
        if real is not None and real.is_integer() and isinstance(value, (Real, Decimal)):
            raise error(f"{name}={shown(value)} must be an integer; write {shown(int(real))}")
        an = f"an integer {bounds}" if high is not None else f"an integer, {bounds}"
        raise error(f"{name}={shown(value)} must be {an}{also}; it is a {kind_of(value)}")
    if found < low or (high is not None and found > high):
        raise error(f"{name}={shown(value)} must be {bounds}{also}")
    return found


def number(
    name: str,
    value: Any,
    low: float,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    error: type[ValueError] = ValueError,
    also: str = "",
) -> float:
    """Returns the value as a finite float from ``low`` to ``high``.

    Args:
        name: Of the field, as it is typed.
        value: Anything.
        low: The lowest value allowed.
        high: The highest.
        above: Whether ``low`` itself is not allowed.
        below: Whether ``high`` itself is not allowed.
        error: What is raised.
        also: What else would be allowed, for the message.

    Raises:
        ValueError: If it is no such number, as ``error``.
    """
    found = None if is_bool(value) else _real(value)
    if math.isinf(high):
        bounds = f"{'above' if above else 'at least'} {low:g}"
    elif above or below:
        bounds = f"{'above' if above else 'at least'} {low:g} and {'below' if below else 'at most'} {high:g}"
    else:
        bounds = f"from {low:g} to {high:g}"
    if found is None:
        raise error(f"{name}={shown(value)} must be a number {bounds}{also}; it is a {kind_of(value)}")
    inside = (low < found if above else low <= found) and (found < high if below else found <= high)
    if not (math.isfinite(found) and inside):
        remedy = "; the sign has no effect, leave it out" if found < 0 == low and -found <= high < math.inf else ""
        a = "a number " if bounds.startswith("from") else ""
        raise error(f"{name}={shown(value)} must be {a}{bounds}{also}{remedy}")
    return found + 0.0  # -0.0 is 0.0


def flag(name: str, value: Any, *, error: type[ValueError] = ValueError) -> bool:
    """Returns the value as True or False.

    Raises:
        ValueError: If it is neither, as ``error``.
    """
    if not is_bool(value):
        raise error(f"{name}={shown(value)} must be True or False; it is a {kind_of(value)}")
    return bool(value)


def text(name: str, value: Any, what: str = "a text", *, error: type[ValueError] = ValueError) -> str:
    """Returns the value as a str.

    Raises:
        ValueError: If it is none, as ``error``.
    """
    if not isinstance(value, str):
        raise error(f"{name}={shown(value)} must be {what}; it is a {kind_of(value)}")
    return str.__str__(value)


def one_of(
    name: str, value: Name, allowed: Iterable[str], *, also: str = "", error: type[ValueError] = ValueError
) -> Name:
    """Returns the value as one of some names.

    Raises:
        ValueError: If it is none of them, as ``error``; the message lists them, and the nearest.
    """
    names = list(allowed)
    if isinstance(value, str) and str.__str__(value) in names:
        return cast(Name, str.__str__(value))
    close = difflib.get_close_matches(str.__str__(value)[:LONGEST].lower(), names, 1) if isinstance(value, str) else []
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise error(f"{name}={shown(value)} must be one of {', '.join(map(repr, names))}{also}{hint}")


def items(name: str, value: Any, what: str, most: int, *, error: type[ValueError] = ValueError) -> list[Any]:
    """Returns the items of a sequence or an array, in its order; a text, a set or a mapping is an error.

    Args:
        name: Of the field, as it is typed.
        value: Anything.
        what: What it must be, for the message: "a list of names".
        most: Items at most.
        error: What is raised.

    Raises:
        ValueError: If it is no sequence, or a longer one, as ``error``.
    """
    found = None
    if not isinstance(value, (str, bytes, bytearray)) and (isinstance(value, Sequence) or _shape(value)):
        try:
            found = list(islice(value, most + 1))
        except Exception:
            found = None
    if found is None or len(found) > most:
        raise error(f"{name}={shown(value)} must be {what}")
    return found


def path(name: str, value: Any, what: str = "a path", *, error: type[ValueError] = ValueError) -> str:
    """Returns the value as the text of a path.

    Raises:
        ValueError: If it is none, as ``error``.
    """
    try:
        found = os.fspath(value)
    except Exception:
        found = None
    if not isinstance(found, str) or not found or "\0" in found:
        raise error(f"{name}={shown(value)} must be {what}; it is a {kind_of(value)}")
    return str.__str__(found)


def enough_memory(needed: int, of: str, remedy: str, *, error: type[ValueError] = ValueError) -> None:
    """Refuses what needs more bytes of memory than this machine has at all.

    Args:
        needed: Bytes.
        of: What needs them, for the message, such as "num_samples=1000".
        remedy: What to do instead.
        error: What is raised.

    Raises:
        ValueError: If it has not, as ``error``, before anything is allocated.
    """
    if (present := memory()) is not None and needed > present:
        raise error(f"{of} needs {_gigabytes(needed)} of memory, and this machine has {_gigabytes(present)}; {remedy}")


def memory() -> int | None:
    """Returns the bytes of memory that this machine, or its container, has; None where it does not say."""
    try:
        present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    try:
        with open(MEMORY_LIMIT, encoding="ascii") as file:
            limit = file.read().strip()
    except OSError:
        return present
    return min(present, int(limit)) if limit.isdecimal() else present


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"


def _shape(value: Any) -> tuple[int, ...] | None:
    """Returns the shape of an array or a tensor; None of anything else."""
    try:
        found = value.shape
        return tuple(int(size) for size in found) if isinstance(found, tuple) else None
    except Exception:
        return None


def _plain(value: Any) -> Any:
    """Returns the number in an array or a tensor without dimensions; any other value as it is."""
    if isinstance(value, (Real, Decimal)) or _shape(value) != ():
        return value
    try:
        return value.item()
    except Exception:
        return value


def _integer(value: Any) -> int | None:
    value = _plain(value)
    if is_bool(value) or (_shape(value) or ()) != () or isinstance(value, type):
        return None
    try:
        return int.__index__(operator.index(value))
    except Exception:
        return None


def _real(value: Any) -> float | None:
    """Returns the value as a float, infinite if it is too large for one; None if it is no real number."""
    value = _plain(value)
    if is_bool(value) or not isinstance(value, (Real, Decimal)):
        return None
    try:
        return float.__float__(float(value))
    except OverflowError:
        return math.inf
    except Exception:
        return None
