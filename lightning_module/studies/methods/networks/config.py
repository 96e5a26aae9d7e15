"""The numbers of a study that compares all networks, those of one's own too."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from lightning_module.networks import NETWORKS, REFERENCE, registered
from lightning_module.studies.framework.cells import Config, ConfigError


@dataclass(frozen=True, kw_only=True)
class NetworksConfig(Config):
    """The numbers of a study that compares all networks.

    Attributes:
        networks: The networks, by the names that they are registered with; () for all that are when the cells are made.
    """

    networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.networks:
            registered(name)
        if twice := {name for name in self.networks if self.networks.count(name) > 1}:
            raise ValueError(f"networks={self.networks} names {min(twice)!r} twice; name it once")

    @property
    def compared(self) -> tuple[str, ...]:
        """Returns the names of the networks."""
        return self.networks or tuple(NETWORKS)

    def record(self) -> dict[str, Any]:
        """Returns the numbers as a result keeps them; the networks where they are others than the reference's four."""
        numbers = super().record() | {"networks": self.compared}
        if self.compared == REFERENCE:
            del numbers["networks"]
        return numbers

    def recorded(self, record: Mapping[str, Any]) -> Self:
        """Returns the numbers with the networks that a result was made with.

        Raises:
            ConfigError: If one is not registered here.
        """
        names = record.get("networks", REFERENCE)
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"networks={names!r:.60} must be a list of names")
        if unknown := [name for name in names if name not in NETWORKS]:
            raise ConfigError(
                f"its network {unknown[0]!r:.60} is not registered here; verify it in a program that imports the "
                "module which registers it"
            )
        return replace(self, networks=tuple(dict.fromkeys(names)))


def network_cost(name: str, length: int = 40) -> float:
    """Returns the cost of training a network on signals of a length, next to logistic regression with 40 points."""
    network = registered(name)
    return network.cost * (length / 40 if network.cost_grows else 1)
