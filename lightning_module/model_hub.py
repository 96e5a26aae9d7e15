"""Trained classifiers on the Hub: `push_model` and `pull_model`, weights as safetensors only, with a card."""

import hashlib
import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from lightning_module.classifier import Classifier
from lightning_module.datamodule import EVALUATION_ROWS, MNIST1DDataModule
from lightning_module.hyper_parameters import arguments_of
from lightning_module.model_card import model_card
from lightning_module.model_plan import ModelPlanner
from lightning_module.pretrained import CONFIG, WEIGHTS, Pretrained, load_pretrained, weights_digest
from mnist1d_hf.hub.card import CARD
from mnist1d_hf.hub.publish import Published, publish, rehearse
from mnist1d_hf.hub.remote import PATIENCE, Remote, checked_repo_id, checked_tag
from mnist1d_hf.hub.schema import ContentError, IncompleteError
from mnist1d_hf.hub.snapshot import repo_id_of
from mnist1d_hf.staged_folder import recover, scratch_folder, staged_folder

__all__ = ["ModelPush", "TrainedModel", "pull_model", "push_model", "read_model", "weights_digest"]

FILES = frozenset({WEIGHTS, CONFIG, CARD})  # of a published classifier


@dataclass(frozen=True)
class TrainedModel:
    """A classifier from a checkpoint, and the record of it for a card.

    Attributes:
        classifier: The classifier.
        record: What the card's header says under `mnist1d_hf.hub.card_records.KEY`: data, protocol, accuracy, code
            version, digest of the weights.
    """

    classifier: Classifier
    record: Mapping[str, Any]

    @classmethod
    def from_checkpoint(cls, path: str | os.PathLike[str], *, network: nn.Module | None = None) -> "TrainedModel":
        """Returns the classifier of a checkpoint of `mnist1d fit`, its accuracy measured now on the test split.

        Args:
            path: The checkpoint.
            network: The module, if it is one of your own.

        Raises:
            ValueError: If the file is no such checkpoint, or the data are no longer those it was trained on.
        """
        checkpoint = _checkpoint(path)
        arguments = _arguments(checkpoint, Classifier, path)
        classifier = Classifier(**({**arguments, "network": network} if network is not None else arguments))
        classifier.load_state_dict(checkpoint["state_dict"])
        data = MNIST1DDataModule(**_arguments(checkpoint, MNIST1DDataModule, path))
        accuracy, examples = _test_accuracy(classifier.eval(), data)
        trained_on = checkpoint[type(data).__name__]
        if trained_on != data.state_dict():
            raise ValueError(
                f"{path} was trained on {trained_on}, but here are {data.state_dict()}; get those data first"
            )
        record = {
            **trained_on,
            "network": classifier.hparams["network"],
            "accuracy": accuracy,
            "test_examples": examples,
            "steps": int(checkpoint["global_step"]),
            "epochs": int(checkpoint["epoch"]) + 1,
            "protocol": _protocol(classifier, data),
            "selection": _selection(data),
            "code_version": checkpoint["mnist1d_hf"]["code_version"],
            "sha256": weights_digest(classifier.state_dict()),
        }
        return cls(classifier, record)


@dataclass(frozen=True)
class ModelPush:
    """The outcome of a push of a model, or of its rehearsal.

    Attributes:
        published: What was done; None for a dry run.
        url: The repository's page.
        files: The files that were written, or would be, and their sizes.
        card: The card.
        repaired: What is put right by this: how the repository had drifted from its record.
    """

    published: Published | None
    url: str
    files: Mapping[str, int]
    card: str
    repaired: Sequence[str] = ()


def push_model(
    repo_id: str,
    model: TrainedModel,
    *,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    token: str | None = None,
    patience: float = PATIENCE,
) -> ModelPush:
    """Puts a classifier on the Hub: weights, configuration and card in one commit, then the tag.

    The same weights again change nothing, unless the repository no longer holds what its card records: that is put
    right. What others wrote into the card stays.

    Args:
        repo_id: "owner/name"; created if it does not exist.
        model: The classifier and its record.
        private: Whether the repository is private, if it is created.
        tag: A tag for the commit; never moved.
        dry_run: Whether to write nothing, and only tell what would be done.
        token: Token of the Hub; by default the one that is logged in.
        patience: Seconds for all requests; uploads have time of their own.

    Raises:
        ValueError: If an argument is not allowed, or a tag would have to move.
        HubError: If the Hub cannot be reached or does not allow it; the message tells in which state the repository is.
    """
    tag = tag and checked_tag(tag)
    remote = Remote(checked_repo_id(repo_id), "model", token=token, patience=patience)
    with scratch_folder("mnist1d-model") as folder:
        model.classifier.save_pretrained(folder)
        contents = {name: Path(folder, name).read_bytes() for name in (WEIGHTS, CONFIG)}
    card = partial(model_card, record=model.record, classifier=model.classifier, repo_id=repo_id)
    planner = ModelPlanner(remote, contents, model.record, card)
    if dry_run:
        done = None
        changed = bool(rehearse(remote, planner.plan_at, tag=tag)[1].operations)
    else:
        done = publish(remote, planner.plan_at, message=_title(model), tag=tag, private=private)
        changed = done.committed
    return ModelPush(
        published=done,
        url=remote.url,
        files={name: len(content) for name, content in planner.written.items()} if changed else {},
        card=card(None, planner.stored),
        repaired=tuple(planner.repaired) if changed else (),
    )


def pull_model(
    repo_id: str,
    folder: str | os.PathLike[str],
    *,
    revision: str | None = None,
    network: nn.Module | None = None,
    token: str | None = None,
) -> TrainedModel:
    """Fetches a classifier at exactly one revision into a new folder, its weights compared with their digest.

    Args:
        repo_id: "owner/name".
        folder: Where to; must not exist, or be empty, or hold just these files, which is no error: a pull can be done
            again, and one that was killed leaves all of it or nothing.
        revision: Tag, branch or commit; by default the newest.
        network: The module, if it is one of your own.
        token: Token of the Hub; by default the one that is logged in.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the weights are not those that the card tells of.
        ValueError: If there is no such repository or revision, or it holds no such classifier.
    """
    target = Path(folder).expanduser().absolute()
    occupied = FileExistsError(f"{target} exists and is not empty; name another folder")
    present = _present(target)
    if not present <= FILES:
        raise occupied
    found = load_pretrained(
        Classifier, repo_id_of(repo_id), revision=revision, token=token, **_network_keyword(network)
    )
    record = _recorded(found)
    contents = {name: found.door.fetch(name).read_bytes() for name in FILES}
    for name, digest in found.files.items():
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise ContentError(f"{name} of {found.door.where} has changed while it was read; try again")
    if present:
        if present != FILES or any((target / name).read_bytes() != content for name, content in contents.items()):
            raise occupied
        recover(target)  # what a killed pull left beside it
        return TrainedModel(found.module, record)
    with staged_folder(target) as staging:
        for name, content in contents.items():
            (staging / name).write_bytes(content)
    return TrainedModel(found.module, record)


def read_model(
    folder: str | os.PathLike[str], *, where: str | None = None, network: nn.Module | None = None
) -> TrainedModel:
    """Returns the classifier in a folder, its weights compared with the digest in the card.

    Raises:
        ContentError: If they differ.
        ValueError: If the folder holds no such classifier.
    """
    found = load_pretrained(Classifier, Path(folder).absolute(), where=where, **_network_keyword(network))
    return TrainedModel(found.module, _recorded(found))


def _present(folder: Path) -> set[str]:
    """Returns the names in a folder; those of a file in its place are none of ours."""
    if folder.exists() and not folder.is_dir():
        return {folder.name}
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def _network_keyword(network: nn.Module | None) -> dict[str, Any]:
    return {} if network is None else {"network": network}


def _recorded(found: Pretrained[Classifier]) -> Mapping[str, Any]:
    """Returns the record in the card of a classifier that was pulled."""
    if found.record is None:
        raise IncompleteError(
            f"the card of {found.door.where} records no digest of the weights, so `mnist1d model push` did not write "
            "it; Classifier.from_pretrained loads it, not verified"
        )
    return found.record


def _checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)  # nothing in it runs code
    except (UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} is no checkpoint that can be read safely: {str(error).splitlines()[0]}") from error
    needed = {"hyper_parameters", "state_dict", "datamodule_hyper_parameters", "MNIST1DDataModule", "mnist1d_hf"}
    if not isinstance(checkpoint, dict) or not needed <= checkpoint.keys():
        raise ValueError(f"{path} is no checkpoint of a Classifier trained on an MNIST1DDataModule, as of mnist1d fit")
    return checkpoint


def _arguments(checkpoint: Mapping[str, Any], kind: type[Any], path: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the arguments that make an object of our class again: its hyperparameters, without LightningCLI's."""
    arguments = arguments_of(checkpoint[kind.CHECKPOINT_HYPER_PARAMS_KEY])
    if unknown := sorted(arguments.keys() - inspect.signature(kind).parameters):
        raise ValueError(
            f"{path} holds a class of your own, with the argument {unknown[0]!r}, that {kind.__name__} does not have; "
            "only a Classifier trained on an MNIST1DDataModule can be published"
        )
    return arguments


@torch.inference_mode()
def _test_accuracy(classifier: Classifier, data: MNIST1DDataModule) -> tuple[float, int]:
    x, y = data.examples("test")
    parts = zip(torch.split(x, EVALUATION_ROWS), torch.split(y, EVALUATION_ROWS), strict=True)
    right = sum(int((classifier(signals).argmax(dim=1) == labels).sum()) for signals, labels in parts)
    return right / len(y), len(y)


def _protocol(classifier: Classifier, data: MNIST1DDataModule) -> str:
    order = "in their own order" if data.shuffle == "none" else f"shuffled each epoch, seed {data.seed}"
    changes = "" if data.transform is None else f", each transformed by {data.transform}"
    digits = ", ".join(map(str, data.classes or ()))
    kept = f"; of the classes {digits} only, also in the test" if digits else ""
    return (
        f"cross-entropy, Adam with a learning rate of {classifier.lr:g}, batches of {data.batch_size} rows {order}"
        f"{changes}{kept}"
    )


def _selection(data: MNIST1DDataModule) -> str:
    if data.val == "test":
        return (
            "validated on the test split, as the reference does: if a checkpoint was selected, it was by the test split"
        )
    return f"validated on {data.val:.0%} of train, held out" if data.val else "no validation"


def _title(model: TrainedModel) -> str:
    return f"{model.record['network']}: {100 * model.record['accuracy']:.1f} % on {model.record['config_id']}"
