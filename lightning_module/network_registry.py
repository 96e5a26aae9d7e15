"""`register_network`: the one place where a network gets its name, and what is known of it by that name.

`Classifier`, `Ensemble`, the command line, the studies and their figures look networks up here. Only what a program
registers itself is found: a name in a checkpoint, a repository or a result never decides what is imported.

Take `NETWORKS` and `registered` from `lightning_module.networks`, which registers the reference networks first.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mnist1d_hf.checks import flag, number, one_of, shown, text

if TYPE_CHECKING:
    from torch import Tensor, nn

    # From stacked parameters (k, ...) by their names, and signals, to logits (k, num_classes, batch).
    Logits = Callable[[Mapping[str, Tensor], Tensor], Tensor]

Make = TypeVar("Make", bound=Callable[..., Any])

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")  # it stands in the names of files
COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
# They stand beside the networks in the tables of studies.
NO_NETWORKS: Final = ("baselines", "human", "kNN", "majority", "SVM")
COST: Final = 10.0  # the CNN's


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The entry of a network in the registry, by its name.

    Attributes:
        name: The name.
        make: Makes one: `make(length=40, num_classes=10)`.
        width: The keyword of `make` that the width of a `Replica` is given to; None if the network has no width.
        label: What figures call it.
        colour: Its colour in figures, "#RRGGBB"; None for one that is left.
        cost: What its training costs next to that of logistic regression, for the remaining time of studies.
        cost_grows: Whether the cost grows with the length of the signals.
        accuracy: Published accuracy on the frozen test split; None if there is none.
        shuffled_accuracy: The same with the points shuffled.
    """

    name: str
    make: Callable[..., "nn.Module"]
    width: str | None = None
    label: str
    colour: str | None = None
    cost: float = COST
    cost_grows: bool = True
    accuracy: float | None = None
    shuffled_accuracy: float | None = None


_registered: dict[str, Registered] = {}
_makers: dict[str, Callable[..., "nn.Module"]] = {}

# The constructors of all networks by name, also of those that are registered later.
NETWORKS: Final[Mapping[str, Callable[..., "nn.Module"]]] = MappingProxyType(_makers)

# Batched forms by class: those of the registered networks, and of others that only studies know.
BATCHED: Final[dict[type[Any], "Callable[[Any], Logits]"]] = {}

# Those whose batched form one network alone is trained by too, see `lightning_module.batched.as_replica`.
ALSO_ALONE: Final[set[type[Any]]] = set()


def register_network(
    name: str,
    *,
    batched: "Callable[[Any], Logits] | None" = None,
    as_replica: bool = False,
    width: str | None = None,
    label: str | None = None,
    colour: str | None = None,
    cost: float = COST,
    cost_grows: bool = True,
    accuracy: float | None = None,
    shuffled_accuracy: float | None = None,
) -> Callable[[Make], Make]:
    """Returns a decorator that gives a class of modules, or a function that makes one, a name everywhere.

    `Classifier(name)`, `Ensemble(name)`, `mnist1d fit --model.network name`, `mnist1d demo --network name`, the studies
    that compare all networks, and their figures know it then. Register it where it is defined, at the top of a module,
    so that each process that imports the module knows it. A checkpoint holds the name only: import the module before
    one is loaded. Such as::

        @register_network("two_layers", colour="#E69F00")
        class TwoLayers(nn.Module):
            def __init__(self, length: int = 40, num_classes: int = 10) -> None: ...

    Args:
        name: Letters, digits, "_" and "-", the first a letter.
        batched: Makes the form for many replicas at once from a module of the class, see
            `lightning_module.batched.logits`; it must compute what the module computes. Without one an `Ensemble` goes
            through `torch.func.vmap`.
        as_replica: Whether `Classifier` trains by the batched form too, where the network has its layers as direct
            children and they are `nn.Linear`, `nn.Conv1d` or `BidirectionalGRU`: on one thread of a CPU it then learns
            what it would learn in an ensemble, to the last bit.
        width: The keyword of the constructor that the width of a `Replica` is given to; by default "width" if it has
            one.
        label: What figures call it; by default the name.
        colour: Its colour in figures, "#RRGGBB"; by default one that no other network has.
        cost: What its training costs next to that of logistic regression, for the remaining time of studies.
        cost_grows: Whether the cost grows with the length of the signals.
        accuracy: Published accuracy on the frozen test split, which figures show.
        shuffled_accuracy: The same with the points shuffled.

    Raises:
        ValueError: If an argument is not allowed, the name is another network's, or, of what is decorated, if it
            cannot be called with `length` and `num_classes`.
    """
    name = _checked_name(name)
    if flag("as_replica", as_replica) and batched is None:
        raise ValueError(f"as_replica=True of network {name!r} needs a batched form; give one, batched=...")
    known: dict[str, Any] = {
        "label": name if label is None else text("label", label, "a text, or None for the name"),
        "colour": _checked_colour(name, colour),
        "cost": number("cost", cost, 0, above=True),
        "cost_grows": flag("cost_grows", cost_grows),
    }
    for field, value in {"accuracy": accuracy, "shuffled_accuracy": shuffled_accuracy}.items():
        known[field] = None if value is None else number(field, value, 0, 1, also=", or None")

    def register(make: Make) -> Make:
        own = _checked_width(name, width, _checked_parameters(name, make))
        _check_new(name, make)
        if batched is not None:
            register_batched(_checked_class(name, make), batched, as_replica=as_replica)
        _registered[name] = Registered(name=name, make=make, width=own, **known)
        _makers[name] = make
        return make

    return register


def register_batched(kind: type[Any], logits_of: "Callable[[Any], Logits]", *, as_replica: bool = False) -> None:
    """Gives a class of modules a formulation of its own, which `batched_logits` then finds.

    Args:
        kind: The class itself; its subclasses are not meant.
        logits_of: Makes the formulation from a module of that class, of which only the configuration may be looked at.
        as_replica: As in `register_network`.
    """
    BATCHED[kind] = logits_of
    (ALSO_ALONE.add if as_replica else ALSO_ALONE.discard)(kind)


def registered(name: str) -> Registered:
    """Returns the entry of a network in the registry.

    Raises:
        ValueError: If there is no network of this name.
    """
    return _registered[one_of("network", name, NETWORKS, also=", or one of your own, by register_network")]


def registering_modules() -> tuple[str, ...]:
    """Returns the modules that register networks by being imported, for another process of the same program."""
    modules = [getattr(make, "__module__", None) or "__main__" for make in _makers.values()]
    return tuple(dict.fromkeys(module for module in modules if module != "__main__"))  # that one imports itself


def _checked_name(given: Any) -> str:
    what = 'letters, digits, "_" and "-", the first a letter, 40 at most'
    name = text("name", given, what)
    if not NAME.fullmatch(name):
        raise ValueError(f"name={shown(name)} must be {what}")
    if name.lower() in (taken := {each.lower(): each for each in NO_NETWORKS}):
        raise ValueError(f"name={name!r} is what studies call something else, {taken[name.lower()]!r}; take another")
    return name


def _checked_colour(name: str, given: Any) -> str | None:
    if given is None:
        return None
    what = '"#RRGGBB", such as "#E69F00", or None'
    colour = text("colour", given, what)
    if not COLOUR.fullmatch(colour):
        raise ValueError(f"colour={shown(colour)} must be {what}")
    for other in _registered.values():
        if other.colour and other.colour.lower() == colour.lower() and other.name != name:
            raise ValueError(f"colour={colour!r} is that of network {other.name!r}; take another, or None")
    return colour


def _checked_parameters(name: str, make: Any) -> Mapping[str, inspect.Parameter]:
    """Returns the parameters of a constructor that can be called as all are."""
    if not callable(make) or not (isinstance(make, type) or not hasattr(make, "state_dict")):
        raise ValueError(
            f"network {name!r}: {shown(make)} must be a class of nn.Module, or a function that makes one; "
            "a module that is already made would be shared by all who ask for it"
        )
    try:
        signature = inspect.signature(make)
        signature.bind(length=40, num_classes=10)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"network {name!r}: {shown(make)} must be callable with length=40 and num_classes=10 and no more "
            f"({error}); give it these two parameters, and the others defaults"
        ) from None
    return signature.parameters


def _checked_class(name: str, make: Any) -> type[Any]:
    if not isinstance(make, type):
        raise ValueError(
            f"network {name!r}: a batched form is found by the module's class, and {shown(make)} is a function; "
            "register the class, or give the class its form by register_batched"
        )
    return make


def _checked_width(name: str, width: Any, parameters: Mapping[str, inspect.Parameter]) -> str | None:
    if width is None:
        return "width" if "width" in parameters else None
    known = [*parameters]
    return str(one_of(f"width of network {name!r}", width, known, also=", a parameter of its constructor, or None"))


def _check_new(name: str, make: Any) -> None:
    """Accepts a name that is new, or whose constructor is defined again, as a notebook's cell does that runs again."""
    if name not in _registered:
        return
    there = _makers[name]
    places = [(getattr(each, "__module__", None), getattr(each, "__qualname__", "<")) for each in (there, make)]
    if there is not make and (places[0] != places[1] or "<lambda>" in places[0][1]):
        raise ValueError(f"name={name!r} is another network's, {shown(there)}; take another name")
