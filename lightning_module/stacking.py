"""The tensors of many replicas side by side, (k, ...), under the names that they have in one network."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from lightning_module.replica import Replica


def initialised(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Returns a new module as it is made after `torch.manual_seed(seed)`; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


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


def stacked_masks(replicas: Sequence[Replica], parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns masks (k, ...) by the names of the parameters that any replica has one for."""
    masks = [replica.mask or {} for replica in replicas]
    for k, mask in enumerate(masks):
        for name, tensor in mask.items():
            if name not in parameters:
                raise ValueError(f"mask of replica {k} is for {name!r}, and the network has {', '.join(parameters)}")
            if tensor.shape != parameters[name].shape:
                raise ValueError(
                    f"mask[{name!r}] of replica {k} has shape {tuple(tensor.shape)}, and must have that of the "
                    f"parameter, {tuple(parameters[name].shape)}"
                )
    return {
        name: torch.stack([mask.get(name, torch.ones_like(parameter)).to(parameter) for mask in masks]).detach()
        for name, parameter in parameters.items()
        if any(name in mask for mask in masks)
    }


def stacked_points(replicas: Sequence[Replica], length: int) -> Tensor | None:
    """Returns the orders of the points, (k, length), or None if every replica has the points' own."""
    if all(replica.points is None for replica in replicas):
        return None
    orders = [list(range(length)) if replica.points is None else list(replica.points) for replica in replicas]
    for k, order in enumerate(orders):
        if sorted(order) != list(range(length)):
            raise ValueError(f"points of replica {k} must be a permutation of 0..{length - 1}, and is {order}")
    return torch.tensor(orders)
