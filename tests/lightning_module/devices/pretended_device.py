"""A device for a machine that has none: torch's "meta", which knows the shapes of tensors and not their numbers.

What a GPU would refuse is refused here: an operation on tensors of two devices. The few numbers that Lightning looks at
are made up. Speed and numbers stay unseen.
"""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lightning_module.twin import SingleDeviceStrategy, accelerators

META = torch.device("meta")


class OneDevice(TorchDispatchMode):
    """Refuses an operation on tensors of two devices, as CUDA does; numbers, without axes, may come from the CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, torch.Tensor) and leaf.dim()]
        devices = {tensor.device.type for tensor in tensors}
        if len(devices) > 1 and "copy" not in func.overloadpacket.__name__:
            raise RuntimeError(f"{func} on tensors of {sorted(devices)}")
        return func(*args, **(kwargs or {}))


class Pretended(accelerators.CPUAccelerator):
    """Lightning's accelerator for the CPU, with another device."""

    allows_several_steps = True

    def setup_device(self, device: torch.device) -> None:
        """Takes any device."""


class PretendedStrategy(SingleDeviceStrategy):
    """Lightning's strategy for one device, on "meta"."""

    allows_several_steps = True

    def __init__(self) -> None:
        super().__init__(device=META, accelerator=Pretended())

    def teardown(self) -> None:
        """Leaves everything where it is: there is no way back."""


def pretend(patch: pytest.MonkeyPatch) -> None:
    """Lets a "meta" tensor be read as 0, and be moved to the CPU."""
    for name, made_up in (("item", 0.0), ("__bool__", False), ("__float__", 0.0), ("__int__", 0), ("__index__", 0)):
        patch.setattr(torch.Tensor, name, _or(made_up, getattr(torch.Tensor, name)))
    of_module, of_tensor = torch.nn.Module.cpu, torch.Tensor.to

    def to(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.device == META and "cpu" in map(str, (*args, *kwargs.values())):
            return torch.zeros(self.shape, dtype=self.dtype)
        return of_tensor(self, *args, **kwargs)

    patch.setattr(torch.Tensor, "to", to)
    patch.setattr(
        torch.nn.Module, "cpu", lambda self: self if any(p.is_meta for p in self.parameters()) else of_module(self)
    )


def _or(made_up: Any, read: Any) -> Any:
    return lambda self: made_up if self.device == META else read(self)
