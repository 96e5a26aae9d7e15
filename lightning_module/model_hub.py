"""Trained classifiers on the Hub: `push_model` and `pull_model`, weights as safetensors only, with a card."""

import hashlib
import inspect
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from pickle import UnpicklingError
from string import Template
from typing import Any, Final

import torch
from huggingface_hub import CommitOperationAdd, EvalResult, ModelCard
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lightning_module.classifier import Classifier
from lightning_module.datamodule import EVALUATION_ROWS, MNIST1DDataModule
from lightning_module.hyper_parameters import arguments_of
from mnist1d_hf.card import CARD, with_section
from mnist1d_hf.mnist1d import CITATION
from mnist1d_hf.pinned import ContentError
from mnist1d_hf.publish import HubError, Plan, Published, publish
from mnist1d_hf.remote import PATIENCE, Head, Remote, RemoteError, checked_repo_id, checked_tag
from mnist1d_hf.snapshot import snapshot

WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
KEY: Final = "mnist1d"  # of our record in the card's header


@dataclass(frozen=True)
class TrainedModel:
    """A classifier from a checkpoint, and what is to be said of it.

    Attributes:
        classifier: The classifier.
        record: What the card's header says under `KEY`: data, protocol, accuracy, code version, digest of the weights.
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
    """What a push of a model did, or would do.

    Attributes:
        published: What was done; None for a dry run.
        url: The repository's page.
        files: The files that were written, or would be, and their sizes.
        card: The card.
    """

    published: Published | None
    url: str
    files: Mapping[str, int]
    card: str


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

    The same weights again change nothing. What others wrote into the card stays.

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
    with tempfile.TemporaryDirectory(prefix="mnist1d-model-") as folder:
        model.classifier.save_pretrained(folder)
        contents = {name: Path(folder, name).read_bytes() for name in (WEIGHTS, CONFIG)}
    written: dict[str, bytes] = {}

    def plan_at(head: Head) -> Plan:
        existing = remote.text(CARD, head)
        there = _record_of(existing).get("sha256") == model.record["sha256"] and {WEIGHTS, CONFIG} <= head.files
        written.clear()
        if not there:
            written.update({**contents, CARD: _card(existing, model, repo_id).encode()})
        return Plan([CommitOperationAdd(name, content) for name, content in written.items()], holds_content=there)

    try:
        done = None if dry_run else publish(remote, plan_at, message=_title(model), tag=tag, private=private)
        if done is None:
            plan_at(remote.head() or Head(""))
    except RemoteError as error:
        raise HubError(str(error), "unchanged") from None
    sizes = {name: len(content) for name, content in written.items()} if done is None or done.committed else {}
    return ModelPush(done, remote.url, sizes, _card(None, model, repo_id))


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
        folder: Where to; must not exist, or be empty.
        revision: Tag, branch or commit; by default the newest.
        network: The module, if it is one of your own.
        token: Token of the Hub; by default the one that is logged in.

    Raises:
        UnavailableError: If the revision is not on this machine and cannot be had.
        ContentError: If the weights are not those that the card tells of.
        ValueError: If there is no such repository or revision, or it holds no such classifier.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target} exists and is not empty; name another folder")
    source = snapshot(repo_id, revision, token, "model")
    if lacking := {WEIGHTS, CONFIG, CARD} - source.files:
        raise ValueError(f"{source.where} has no {min(lacking)}; only safetensors written by mnist1d-hf are pulled")
    paths = [source.fetch(name) for name in (WEIGHTS, CONFIG, CARD)]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as staging:
        for path in paths:
            shutil.copy(path, Path(staging, path.name))
        model = read_model(staging, where=source.where, network=network)
        target.mkdir(exist_ok=True)
        for path in paths:
            os.replace(Path(staging, path.name), target / path.name)
    return model


def read_model(
    folder: str | os.PathLike[str], *, where: str | None = None, network: nn.Module | None = None
) -> TrainedModel:
    """Returns the classifier in a folder, its weights compared with the digest in the card.

    Raises:
        ContentError: If they differ.
        ValueError: If the folder holds no such classifier.
    """
    where = where or str(folder)
    record = _record_of(Path(folder, CARD).read_text(encoding="utf-8"))
    if "sha256" not in record:
        raise ValueError(f"the card of {where} has no digest of the weights; this package did not write it")
    arguments = json.loads(Path(folder, CONFIG).read_text(encoding="utf-8"))
    try:
        weights = load_file(Path(folder, WEIGHTS))
    except SafetensorError as error:
        raise ContentError(f"the weights of {where} cannot be read: {error}") from error
    if weights_digest(weights) != record["sha256"]:
        raise ContentError(f"the weights of {where} are not those that its card tells of; tell its owner")
    classifier = Classifier(**({**arguments, "network": network} if network is not None else arguments))
    classifier.load_state_dict(weights)
    return TrainedModel(classifier.eval(), record)


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 of all tensors: names, types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().contiguous().numpy()
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {values.dtype.name} {values.shape} ".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


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
    """Returns what an object of our class is made of again: its hyperparameters, without those of LightningCLI."""
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


def _record_of(card: str | None) -> Mapping[str, Any]:
    record = ModelCard(card, ignore_metadata_errors=True).data.get(KEY) if card else None
    return record if isinstance(record, dict) else {}


def _card(existing: str | None, model: TrainedModel, repo_id: str) -> str:
    """The model's card; of an existing one, all that others wrote stays."""
    record = model.record
    result = EvalResult(
        task_type="tabular-classification",
        dataset_type=record["path"] if "/" in record["path"] else "mnist1d",
        dataset_name="MNIST-1D",
        dataset_config=record["config_id"],
        dataset_split="test",
        metric_type="accuracy",
        metric_value=round(record["accuracy"], 4),
    )
    usual = {
        "license": "apache-2.0",
        "library_name": "mnist1d-hf",
        "pipeline_tag": "tabular-classification",
        "tags": ["mnist1d", "pytorch-lightning", "pytorch_model_hub_mixin", "arxiv:2011.14439"],
        "datasets": [record["path"]] if "/" in record["path"] and not Path(record["path"]).exists() else None,
        "model_name": repo_id.partition("/")[2],
    }
    card = ModelCard(existing or "---\n{}\n---\n", ignore_metadata_errors=True)
    for key, value in usual.items():
        if value is not None and card.data.get(key) is None:
            card.data[key] = value
    others = [other for other in card.data.get("eval_results") or () if not other.is_equal_except_value(result)]
    card.data["eval_results"] = [*others, result]
    card.data[KEY] = dict(record)
    card.text = with_section(card.text, _body(model, repo_id))
    return str(card)


def _body(model: TrainedModel, repo_id: str) -> str:
    record, classifier = model.record, model.classifier
    accuracy = record["accuracy"]
    text = files("lightning_module").joinpath("model_card.md").read_text(encoding="utf-8")
    return (
        Template(text)
        .substitute(
            {key: record[key] for key in ("path", "config_id", "version", "protocol", "selection", "steps", "epochs")},
            title=f"{repo_id.partition('/')[2]}: a classifier for MNIST-1D",
            network=record["network"],
            parameters=f"{sum(weights.numel() for weights in classifier.parameters()):,}",
            accuracy=f"{100 * accuracy:.1f}",
            error=f"{100 * math.sqrt(accuracy * (1 - accuracy) / record['test_examples']):.1f}",
            examples=f"{record['test_examples']:,}",
            length=classifier.length,
            classes=classifier.hparams["num_classes"],
            code_version=record["code_version"],
            digest=record["sha256"],
            repo_id=repo_id,
            citation=CITATION,
        )
        .strip()
    )
