"""`Unlabelled`: what learners without labels have in common: k networks at once, each with its own random numbers."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from lightning_module.loop.minibatch_training import MinibatchTraining
from lightning_module.replicas.adam import ReplicaAdam
from lightning_module.replicas.replica import Replica
from lightning_module.replicas.rows import OwnRows
from lightning_module.replicas.stacking import initialised, stacked, tree
from lightning_module.twin import pl

# Apart from the seeds of initialisations and orders, or an augmentation would repeat the draws of the weights.
AUGMENTATION_SEED: Final = 1_000_000
ROWS_AT_ONCE: Final = 5000  # that are read by probes


class Unlabelled(MinibatchTraining):
    """Several networks trained at once without labels, each with augmentations, or masks, from its own generator.

    The generators are on the CPU, so what they draw is the same on every device.

    Args:
        network: Returns a network, whose parameters are then stacked.
        replicas: What is each one's own, of which the seed, the learning rate, the weight decay, the data and the
            shuffling count; a number for as many with the seeds 0, 1, 2, ...
        length: Points in a signal.
        steps_per_execution: As in `Classifier`.

    Raises:
        ValueError: If there is no replica, or one has something that only a classifier can use.
    """

    def __init__(
        self,
        network: Callable[[], nn.Module],
        replicas: int | Sequence[Replica | Mapping[str, Any]],
        *,
        length: int,
        steps_per_execution: int | Literal["auto"],
    ) -> None:
        super().__init__(length=length, steps_per_execution=steps_per_execution)
        if isinstance(replicas, int):
            replicas = [Replica(seed=seed) for seed in range(replicas)]
        self.replicas = [each if isinstance(each, Replica) else Replica(**each) for each in replicas]
        _check(self.replicas, type(self).__name__)
        self.num_classes = 10  # which the loader of the replicas' rows asks for; the labels are not used
        networks = [initialised(network, replica.seed) for replica in self.replicas]
        weights = [{name: p.detach() for name, p in each.named_parameters()} for each in networks]
        self.network = tree({name: nn.Parameter(tensor) for name, tensor in stacked(weights).items()})
        self.generators = [torch.Generator().manual_seed(AUGMENTATION_SEED + each.seed) for each in self.replicas]
        self._losses: list[Tensor] = []
        # Of each epoch the mean over its minibatches, (k,).
        self.epoch_losses: list[Tensor] = []

    @abstractmethod
    def losses(self, x: Tensor) -> Tensor:
        """Returns the loss (k,) of each network on signals (batch, length), or (k, batch, length)."""

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean over the replicas of their losses, with the gradient of their sum.

        Args:
            x: Signals (batch, length), or (batch, k, length) if each replica has its own.
            y: Labels, which are not looked at.
        """
        losses = self.losses(x.transpose(0, 1) if x.dim() == 3 else x)
        self._losses.append(losses.detach())
        total = losses.sum()
        return total.detach() / len(losses) + (total - total.detach())

    @staticmethod
    @abstractmethod
    def layers(p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
        """Returns what the layers of k networks make of signals, (k, ..., batch) each, as probes read it.

        Args:
            p: The parameters of the networks, stacked.
            x: Signals (batch, length).
        """

    @classmethod
    @torch.no_grad()
    def read_layers(cls, p: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
        """Returns what each layer of one network makes of signals (n, length), (n, width) each; the input is layer 0.

        Args:
            p: Its parameters, (1, ...).
            x: Signals; they go through in pieces.
        """
        pieces = [
            [h.flatten(1, -2)[0].t() for h in cls.layers(p, piece)]
            for piece in torch.split(x.to(next(iter(p.values()))), ROWS_AT_ONCE)
        ]
        return [x, *(torch.cat(layer) for layer in zip(*pieces, strict=True))]

    def representations(self, k: int, x: Tensor) -> list[Tensor]:
        """Returns what each layer of replica k makes of signals (n, length), (n, width) each; the input is layer 0."""
        return self.read_layers(self.of_replica(k), x)

    def of_replica(self, k: int) -> dict[str, Tensor]:
        """Returns the parameters of replica k, (1, ...)."""
        return {name: stacked[k : k + 1] for name, stacked in self.network.named_parameters()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns Adam, with each replica's learning rate and weight decay."""
        lr, decay = zip(*((replica.lr, replica.weight_decay) for replica in self.replicas), strict=True)
        return ReplicaAdam(self.parameters(), lr=lr, weight_decay=decay, fused=self.has_fused_optimizer())

    def configure_callbacks(self) -> list[pl.Callback]:
        """Returns the callbacks that take several steps at once and give each replica its rows."""
        return [*super().configure_callbacks(), *self.missing(OwnRows)]

    def on_train_epoch_end(self) -> None:
        """Notes the mean losses of the epoch."""
        self.epoch_losses.append(torch.stack(self._losses).mean(0).cpu())
        self._losses.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Records, beside the versions, where the generators are."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["augmentations"] = [generator.get_state() for generator in self.generators]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Lets the generators go on where they were."""
        for generator, state in zip(self.generators, checkpoint["augmentations"], strict=True):
            generator.set_state(state)


def _check(replicas: Sequence[Replica], learner: str) -> None:
    if not replicas:
        raise ValueError("replicas=[] must be at least one, such as replicas=[Replica(seed=0)]")
    for k, replica in enumerate(replicas):
        for name in ("label_noise", "points", "width", "mask"):
            if given := getattr(replica, name):
                raise ValueError(f"{name}={given!r} of replica {k} is not for {learner}; leave it out")
