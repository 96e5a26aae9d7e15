"""Networks of a user's, as a module of a user's registers them; and the registry as it was, after a test."""

from contextlib import contextmanager

from torch import nn

from lightning_module import network_registry
from lightning_module.batched.logits import dense, examples_last
from lightning_module.networks import register_network


class Tiny(nn.Module):
    """Two layers without a bend between them: a network that nobody needs, of 540 parameters."""

    def __init__(self, length=40, num_classes=10, units=10):
        super().__init__()
        self.inner = nn.Linear(length, units)
        self.outer = nn.Linear(units, num_classes)

    def forward(self, x):
        return self.outer(self.inner(x).tanh())


def tiny_logits(p, x):
    return dense(p, "outer", dense(p, "inner", examples_last(x)).tanh())


@contextmanager
def registry_as_it_is():
    """Takes back, at the end, what is registered inside."""
    kept = [
        (each, type(each)(each))
        for each in (
            network_registry._registered,
            network_registry._makers,
            network_registry.BATCHED,
            network_registry.ALSO_ALONE,
        )
    ]
    try:
        yield
    finally:
        for each, before in kept:
            each.clear()
            each.update(before)


@contextmanager
def tiny_registered(name="tiny", make=Tiny, **known):
    """Registers a network as a user does, for as long as it lasts."""
    with registry_as_it_is():
        register_network(name, **known)(make)
        yield
