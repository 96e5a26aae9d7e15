"""`Ensemble`: many independent models trained at once, at a fraction of the time that they take one after another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import starmap
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lightning_module.batched.as_replica import has_forward_of, is_as_made
from lightning_module.batched.logits import batched_logits
from lightning_module.classifier import Classifier
from lightning_module.hyper_parameters import OWN_MODULE, PlainHyperparameters
from lightning_module.loop.minibatch_training import MinibatchTraining, checked_steps
from lightning_module.loop.threads import is_small
from lightning_module.replicas.adam import ReplicaAdam
from lightning_module.replicas.losses import LOSSES
from lightning_module.replicas.padding import padding_of
from lightning_module.replicas.replica import Replica, checked_replicas
from lightning_module.replicas.rows import OwnRows
from lightning_module.replicas.sgd import ReplicaSGD
from lightning_module.replicas.stacking import complete_masks, initialised, maker, stacked, stacked_points, tree
from lightning_module.twin import pl, warn_of_other
from mnist1d_hf.checks import flag, number, one_of, text, whole_number

# Rows of all replicas together in one forward pass of an evaluation: some 100 MB of activations at most.
EVALUATION_ROWS = 20_000

OPTIMIZERS = ("adam", "adamw", "sgd")


class Ensemble(PlainHyperparameters, MinibatchTraining):
    """Replicas of a network on the same minibatches, or each on its own, trained as `Classifier` would train each.

    The parameters of all replicas are stacked, so a step is one forward pass, one backward pass and one optimiser step
    for all; no replica has an influence on another. It logs `train/loss`, `val/loss`, `val/acc`, `test/loss` and
    `test/acc` as means over the replicas, and those of validation and test for each replica k as `val/acc/k` as well.
    `replica(k)` returns one as a `Classifier`. Checkpoints load with `weights_only=True`.

    Args:
        network: "logistic", "mlp", "cnn" or "gru"; or the name of a network of your own, see `register_network`; or a
            function without arguments that makes a module of your own, such as `partial(MLP, hidden_size=500)`; or, for
            replicas with a width, a function of it, such as `lambda width: MLP(hidden_size=width)`. The four networks
            of this package, of any width, have formulations of their own, and others that were registered with one;
            any other module goes through `torch.func.vmap`. A checkpoint holds only the module's name, so your own
            function is passed again where one is loaded.
        replicas: What is each one's own, see `Replica`; a number for as many with the seeds 0, 1, 2, ...
        loss: "cross_entropy"; or "mse", the mean over examples and classes of (logit - target)^2, where the target is 1
            for the label and 0 for the other classes.
        optimizer: "adam"; "adamw" for decoupled weight decay; or "sgd".
        momentum: Momentum of "sgd".
        length: Points in a signal.
        num_classes: Number of classes.
        steps_per_execution: As in `Classifier`.
        compiled: Whether `torch.compile` compiles the loss of a minibatch. On CPU it gains nothing (see
            benchmarks/ensemble.py), needs a C++ compiler, and takes up to minutes before the first step.

    Raises:
        ValueError: If an argument is out of its range, or a mask does not fit the network.
    """

    _points: Tensor | None

    def __init__(
        self,
        network: str | Callable[..., nn.Module] = "cnn",
        replicas: int | Sequence[Replica | Mapping[str, Any]] = 10,
        *,
        loss: Literal["cross_entropy", "mse"] = "cross_entropy",
        optimizer: Literal["adam", "adamw", "sgd"] = "adam",
        momentum: float = 0.0,
        length: int = 40,
        num_classes: int = 10,
        steps_per_execution: int | Literal["auto"] = "auto",
        compiled: bool = False,
    ) -> None:
        length, num_classes = whole_number("length", length, 1), whole_number("num_classes", num_classes, 2)
        steps_per_execution, compiled = checked_steps(steps_per_execution), flag("compiled", compiled)
        loss, optimizer = one_of("loss", loss, LOSSES), one_of("optimizer", optimizer, OPTIMIZERS)
        momentum = number("momentum", momentum, 0, 1, below=True)
        if not callable(network):
            network = text("network", network, "a name, such as 'cnn', or a function that makes a module")
        replicas = checked_replicas(replicas)
        super().__init__(length=length, steps_per_execution=steps_per_execution)
        warn_of_other(self)
        if momentum and optimizer != "sgd":
            raise ValueError(f'momentum={momentum} must be 0 with optimizer={optimizer!r}, or take optimizer="sgd"')
        self.replicas = replicas
        self.num_classes = num_classes
        self.optimizer, self.momentum = optimizer, momentum
        self._loss = LOSSES[loss]
        self._compiled = compiled
        self._hooks: list[Any] = []
        self._name = network if isinstance(network, str) else None
        self._make = maker(network, self.replicas, length=length, num_classes=num_classes)

        networks = [initialised(partial(self._make, replica.width), replica.seed) for replica in self.replicas]
        parameters = [{name: p.detach() for name, p in each.named_parameters()} for each in networks]
        masks = complete_masks(self.replicas, parameters)
        self._padding, widths = None, [replica.width or 0 for replica in self.replicas]
        if len(set(widths)) > 1:
            self._padding = padding_of(networks, widths, length=length)
            parameters, masks = ([*starmap(self._padding.padded, enumerate(each))] for each in (parameters, masks))
        # What the logits are worked out with where the network has no formulation of its own. Not a submodule: its
        # parameters are none of ours.
        self._structure = (networks[widths.index(max(widths))],)
        self._derive()
        self.network = tree({name: nn.Parameter(tensor) for name, tensor in stacked(parameters).items()})
        self.masks = tree(stacked(masks))
        self.register_buffer("_points", stacked_points(self.replicas, length), persistent=False)
        self._apply_masks()
        self.save_hyperparameters(
            {
                "network": self._name or f"{OWN_MODULE}{type(networks[0]).__name__}",
                "replicas": [replica.settings() for replica in self.replicas],
                "loss": loss,
                "optimizer": optimizer,
                "momentum": momentum,
                "length": length,
                "num_classes": num_classes,
                "steps_per_execution": steps_per_execution,
                "compiled": compiled,
            }
        )

    def _derive(self) -> None:
        """Makes the functions that belong to the networks' structure and the loss."""
        self._logits = batched_logits(*self._structure)
        self._sum_of_losses = torch.compile(self._plain_sum_of_losses) if self._compiled else self._plain_sum_of_losses

    def __getstate__(self) -> dict[str, Any]:
        """Returns what goes to another process: everything but the functions, which are made anew there."""
        return {**super().__getstate__(), "_logits": None, "_sum_of_losses": None, "_hooks": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._derive()

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (k, batch, num_classes) of signals (batch, length) or (k, batch, length)."""
        return self._batch_last(x).transpose(1, 2)

    def minibatch_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean over the replicas of their losses, with the gradient of their sum.

        The gradient of the sum is for each replica that of its own loss, whatever the number of replicas.

        Args:
            x: Signals (batch, length), or (batch, k, length) if each replica has its own.
            y: Labels (batch,) or (batch, k).
        """
        # What `compiled` compiles is the plain one.
        total = (self._sum_of_losses if has_forward_of(self, Ensemble) else self._plain_sum_of_losses)(x, y)
        return total.detach() / len(self.replicas) + (total - total.detach())

    def replica(self, k: int) -> Classifier:
        """Returns replica k with its weights as they are now. If it has `points`, its signals are `x[:, points]`.

        Trained further, a classifier has cross-entropy and Adam, whatever the ensemble has.

        Raises:
            ValueError: If there is no such replica.
        """
        if not 0 <= k < len(self.replicas):
            raise ValueError(f"k={k} must be in 0..{len(self.replicas) - 1}, for {len(self.replicas)} replicas")
        width = self.replicas[k].width
        with torch.random.fork_rng(devices=[]):  # an initialisation is drawn, to be overwritten
            single = Classifier(
                self._name if self._name and width is None else self._make(width),
                lr=self.replicas[k].lr,
                length=self.length,
                num_classes=self.num_classes,
                steps_per_execution=self.steps_per_execution,
            )
        weights = {name: stacked[k] for name, stacked in self.network.state_dict().items()}
        if self._padding is not None:
            weights = self._padding.own(k, weights)
        single.to(next(iter(weights.values())))  # its device and dtype
        single.network.load_state_dict(weights)
        return single

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean loss and the accuracy of each replica, (k,) each.

        Of any number of examples: they go through the networks in pieces, each moved to the ensemble's device.

        Args:
            x: Signals (n, length) for all replicas, or (k, n, length).
            y: Labels (n,) or (k, n).

        Raises:
            ValueError: If the shapes do not fit each other or the ensemble.
        """
        self._check_shapes(x, y)
        count, examples = len(self.replicas), y.shape[-1]
        loss = hits = torch.zeros(count, device=self.device)
        pieces = torch.split(y, self._rows_at_once, dim=-1)
        for logits, labels in zip(self._logits_in_pieces(x), pieces, strict=True):
            labels = labels.to(self.device).expand(count, -1)
            loss = loss + self._loss(logits, labels).sum(1)
            hits = hits + (logits.argmax(1) == labels).sum(1)
        return loss / examples, hits / examples

    @torch.no_grad()
    def predictions(self, x: Tensor) -> Tensor:
        """Returns the class that each replica takes each example for, (k, n).

        Args:
            x: Signals (n, length) for all replicas, or (k, n, length); any number, as in `evaluate`.

        Raises:
            ValueError: If the shape does not fit the ensemble.
        """
        self._check_shapes(x)
        return torch.cat([logits.argmax(1) for logits in self._logits_in_pieces(x)], dim=1)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Adds a piece of the validation split to `val/loss`, `val/acc` and those of each replica."""
        self._evaluate("val", *batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Adds a piece of the test split to `test/loss`, `test/acc` and those of each replica."""
        self._evaluate("test", *batch)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Returns the probabilities of the classes, (batch, k, num_classes)."""
        pieces = torch.split(batch[0], self._rows_at_once)
        return torch.cat([self(piece).softmax(dim=2).transpose(0, 1) for piece in pieces])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns the optimiser, with each replica's learning rate and weight decay; Adam as one kernel where it is.

        Any optimiser of `torch.optim` that works entry by entry can be put in its place, with one rate for all.
        """
        lr = [replica.lr for replica in self.replicas]
        decay = [replica.weight_decay for replica in self.replicas]
        if self.optimizer == "sgd":
            fused = self.has_fused_optimizer()
            return ReplicaSGD(self.parameters(), lr=lr, weight_decay=decay, momentum=self.momentum, fused=fused)
        return ReplicaAdam(
            self.parameters(),
            lr=lr,
            weight_decay=decay,
            decoupled=self.optimizer == "adamw",
            fused=self.has_fused_optimizer(),
        )

    def threads(self, rows: int, length: int, available: int) -> int:
        """Returns at most one for each replica of a small reference network; see `lightning_module.loop.threads`."""
        (network,) = self._structure
        alike = self._padding is None and is_as_made(network)
        return min(len(self.replicas), available) if alike and is_small(network, length, rows) else available

    def configure_callbacks(self) -> list[pl.Callback]:
        """Returns the callbacks of training, and the one that gives each replica its rows."""
        return [*super().configure_callbacks(), *self.missing(OwnRows)]

    def on_train_start(self) -> None:
        """Lets every optimiser step end with the masks."""
        self._hooks = [
            optimizer.register_step_post_hook(self._after_step)
            for optimizer in (self.trainer.optimizers if list(self.masks.buffers()) else [])
        ]

    def on_train_end(self) -> None:
        """Lets go of the optimisers."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Makes room for the masks of a checkpoint."""
        state = checkpoint["state_dict"]
        masks = {name.removeprefix("masks."): state[name] for name in state if name.startswith("masks.")}
        if masks:  # else those of this ensemble, if it has any, are missed by name
            self.masks = tree(masks).to(next(self.network.parameters()))  # device and dtype

    def _plain_sum_of_losses(self, x: Tensor, y: Tensor) -> Tensor:
        logits = self._through_forward(x.transpose(0, 1) if x.dim() == 3 else x)  # (k, num_classes, batch)
        labels = y.t() if y.dim() == 2 else y.expand(len(self.replicas), -1)
        return self._loss(logits, labels).sum() / len(y)

    def _through_forward(self, x: Tensor) -> Tensor:
        """Returns the logits (k, num_classes, batch), by `forward` where it is another one than the one above."""
        if torch.compiler.is_compiling() or has_forward_of(self, Ensemble):
            return self._batch_last(x)
        return self(x).transpose(1, 2)  # type: ignore[no-any-return]

    def _batch_last(self, x: Tensor) -> Tensor:
        """Returns the logits (k, num_classes, batch) of signals (batch, length) or (k, batch, length)."""
        if self._points is not None:
            x = x.expand(len(self.replicas), -1, -1)
            x = x.gather(2, self._points.unsqueeze(1).expand_as(x))
        (structure,) = self._structure
        if structure.training != self.training:  # what has dropout asks the module itself
            structure.train(self.training)
        return self._logits(dict(self.network.named_parameters()), x)

    def _evaluate(self, split: str, x: Tensor, y: Tensor) -> None:
        loss, hits = self.evaluate(x, y)
        of_each = {f"{split}/loss/{k}": value for k, value in enumerate(loss)}
        of_each |= {f"{split}/acc/{k}": value for k, value in enumerate(hits)}
        means = {f"{split}/loss": loss.mean(), f"{split}/acc": hits.mean()}
        self.log_dict(means, prog_bar=True, batch_size=len(y), sync_dist=True)
        self.log_dict(of_each, batch_size=len(y), sync_dist=True)

    def _logits_in_pieces(self, x: Tensor) -> Iterator[Tensor]:
        like = next(self.network.parameters())
        for piece in torch.split(x, self._rows_at_once, dim=-2):
            yield self._through_forward(
                piece.to(like)
            )  # (k, num_classes, batch), on the device and in the dtype of both

    def _check_shapes(self, x: Tensor, y: Tensor | None = None) -> None:
        count = len(self.replicas)
        leads = {2: (), 3: (count,)}
        if x.dim() not in leads or x.shape[:-2] != leads[x.dim()] or x.shape[-1] != self.length or not x.shape[-2]:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, and must have (n, {self.length}) for all replicas or "
                f"({count}, n, {self.length}) for each its own, with n at least 1"
            )
        examples = x.shape[-2]
        if y is not None and y.shape not in ((examples,), (count, examples)):
            raise ValueError(
                f"y has shape {tuple(y.shape)}, and must have ({examples},) or ({count}, {examples}), "
                f"a label for each of the signals {tuple(x.shape)}"
            )

    @property
    def _rows_at_once(self) -> int:
        return max(1, EVALUATION_ROWS // len(self.replicas))

    def _after_step(self, *_: Any) -> None:
        self._apply_masks()

    @torch.no_grad()
    def _apply_masks(self) -> None:
        for name, mask in self.masks.named_buffers():
            self.network.get_parameter(name).mul_(mask)
