"""The networks of many replicas, and their tensors side by side, (k, ...), under the names in one network."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lightning_module.hyper_parameters import OWN_MODULE
from lightning_module.networks import make_network, registered
from lightning_module.replicas.replica import Replica
from mnist1d_hf.checks import shown


@dataclass(frozen=True)
class Maker:
    """The function that makes a replica's network, from the replica's width.

    It goes to another process by pickle, as spawned strategies send it: a function that has no name there stays behind.

    Attributes:
        function: Makes the network; None where it stayed behind.
        with_width: Whether it takes the width.
    """

    function: Callable[..., nn.Module] | None
    with_width: bool = True

    def __call__(self, width: int | None) -> nn.Module:
        """Returns a new network.

        Raises:
            ValueError: If the function stayed behind.
        """
        if self.function is None:
            raise ValueError(
                "the function that makes the network did not come to this process, as it has no name; "
                "pass one that is defined by def at the top of a module, or a partial of one"
            )
        return self.function(width=width) if self.with_width else self.function()

    def __reduce__(self) -> tuple[Any, ...]:
        named = self.function
        while isinstance(named, partial):
            named = named.func
        has_name = "<" not in getattr(named, "__qualname__", "")  # <lambda>, <locals>
        return Maker, (self.function if has_name else None, self.with_width)

    def __deepcopy__(self, memo: Any) -> "Maker":
        return self


def _named(name: str, length: int, num_classes: int, width: int) -> nn.Module:
    network = registered(name)
    return network.make(length=length, num_classes=num_classes, **{str(network.width): width})


def maker(
    network: str | Callable[..., nn.Module], replicas: Sequence[Replica], *, length: int, num_classes: int
) -> Callable[[int | None], nn.Module]:
    """Returns the function that makes a replica's network, from the replica's width.

    Raises:
        ValueError: If it is one module for all, or the replicas have widths and the network has none.
    """
    if isinstance(network, nn.Module):
        raise ValueError(
            f"network={type(network).__name__}(...) is one module, and each replica needs one of its own; "
            f"pass a function that makes it, network=lambda: {type(network).__name__}(...)"
        )
    if isinstance(network, str) and network.startswith(OWN_MODULE):
        raise ValueError(
            f"network={network!r}: these weights belong to a module that is not one of the named ones; "
            f"pass the function that makes it again, network=lambda: {network.removeprefix(OWN_MODULE)}(...)"
        )
    of_name = partial(make_network, network, length=length, num_classes=num_classes)  # type: ignore[arg-type]
    widths = [replica.width for replica in replicas]
    if all(width is None for width in widths):
        width = _width_of(network) if callable(network) else None
        if width is not None and width.default is inspect.Parameter.empty:
            raise ValueError("network needs a width, and the replicas have none; give each one, Replica(width=...)")
        return Maker(network if callable(network) else of_name, with_width=False)
    if None in widths:
        k = widths.index(None)
        raise ValueError(f"width of replica {k} is None, and others have one; give all replicas a width, or none")
    if callable(network):
        if _width_of(network) is None:
            raise ValueError(
                f"network takes no width, and replica 0 has width={widths[0]}; pass a function of it, such as "
                "network=lambda width: MLP(hidden_size=width)"
            )
        return Maker(network)
    initialised(of_name, seed=0)  # looks at the other arguments
    if registered(network).width is None:
        raise ValueError(f"network={network!r} has no width, and replica 0 has width={widths[0]}; leave it out")
    return Maker(partial(_named, network, length, num_classes))


def _width_of(network: Callable[..., nn.Module]) -> inspect.Parameter | None:
    """Returns a function's argument `width`, or None if it has none."""
    try:
        return inspect.signature(network).parameters.get("width")
    except (TypeError, ValueError):  # of what is built in nobody knows
        return None


def initialised(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Returns a new module as it is made after `torch.manual_seed(seed)`; the global random state stays as it was.

    Raises:
        ValueError: If it is no module, or has nothing to train.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = make()
    if not isinstance(made, nn.Module) or not list(made.parameters()):
        raise ValueError(f"network must be a function that makes an nn.Module with parameters, and made {shown(made)}")
    return made


def tree(tensors: Mapping[str, Tensor]) -> nn.Module:
    """Returns a module that holds tensors by names with dots, as parameters if they are, else as buffers."""
    root = nn.Module()
    for name, tensor in tensors.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        if isinstance(tensor, nn.Parameter):
            module.register_parameter(leaf, tensor)
        else:
            module.register_buffer(leaf, tensor)
    return root


def stacked(of_each: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Returns the tensors of all replicas by their names, (k, ...)."""
    return {name: torch.stack([own[name] for own in of_each]) for name in of_each[0]}


def complete_masks(replicas: Sequence[Replica], parameters: Sequence[Mapping[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Returns the masks of each replica, with ones where it has none for a parameter and another replica has one.

    Args:
        replicas: What is each one's own.
        parameters: Those of each replica's network.

    Raises:
        ValueError: If a mask does not fit the network.
    """
    masks = [replica.mask or {} for replica in replicas]
    for k, (mask, own) in enumerate(zip(masks, parameters, strict=True)):
        for name, tensor in mask.items():
            if name not in own:
                raise ValueError(f"mask of replica {k} is for {name!r}, and the network has {', '.join(own)}")
            if tensor.shape != own[name].shape:
                raise ValueError(
                    f"mask[{name!r}] of replica {k} has shape {tuple(tensor.shape)}, and must have that of the "
                    f"parameter, {tuple(own[name].shape)}"
                )
    return [
        {
            name: mask.get(name, torch.ones_like(parameter)).to(parameter)
            for name, parameter in own.items()
            if any(name in each for each in masks)
        }
        for mask, own in zip(masks, parameters, strict=True)
    ]


def stacked_points(replicas: Sequence[Replica], length: int) -> Tensor | None:
    """Returns the orders of the points, (k, length), or None if every replica has the points' own."""
    if all(replica.points is None for replica in replicas):
        return None
    orders = [list(range(length)) if replica.points is None else list(replica.points) for replica in replicas]
    for k, order in enumerate(orders):
        if sorted(order) != list(range(length)):
            raise ValueError(f"points of replica {k} must be a permutation of 0..{length - 1}, and is {order}")
    return torch.tensor(orders)
