"""Whether a class is the one that its name says, and who wrote the functions that it has.

A class's `__module__` is a text that anybody can set: `exec` leaves "builtins" there, `functools.update_wrapper` the
name of another class. And anybody can put a function of their own on a class of Lightning's or of ours.
"""

import functools
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, get_origin

# Where decorators and context managers come from: what they wrap is looked at as well.
WRAPPERS = frozenset({"contextlib", "functools", "lightning_utilities", "typing_extensions", "warnings"})


def is_genuine(kind: type) -> bool:
    """Returns whether a class is what its module has under its name."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def is_written_in(value: object, packages: frozenset[str]) -> bool:
    """Returns whether everything that an attribute of a class calls was written in one of the packages.

    Args:
        value: The attribute, as the class's `__dict__` has it. What cannot be called was written by nobody.
        packages: The first names of modules.
    """
    return all(_package(part) in packages for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    """Yields the functions that are called when an attribute is, below decorators too."""
    if isinstance(value, property):
        functions = [value.fget, value.fset, value.fdel]
    elif isinstance(value, functools.cached_property):
        functions = [value.func]
    else:
        functions = [value.__func__ if isinstance(value, classmethod | staticmethod) else value]
    for function in functions:
        layer = function
        while callable(layer) and get_origin(layer) is None:  # that of a type hint is its class
            wrapped = getattr(layer, "__wrapped__", None)
            if wrapped is None or not (_package(layer) in WRAPPERS or isinstance(layer, functools._lru_cache_wrapper)):
                yield layer
            layer = wrapped


def _package(thing: Any) -> str:
    """Returns the first name of the module in which a function or a class was written, "" for anything else."""
    module = ""
    if isinstance(thing, FunctionType):
        module = str(thing.__globals__.get("__name__", ""))  # `__module__` is copied by functools.wraps
    elif isinstance(thing, type) and is_genuine(thing):
        module = thing.__module__
    return module.partition(".")[0]
