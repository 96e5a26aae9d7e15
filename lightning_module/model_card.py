"""The card of a classifier on the Hub: what it was trained on and how, its accuracy, and how to load it."""

import math
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from huggingface_hub import EvalResult, ModelCard

from mnist1d_hf.hub.card import with_section
from mnist1d_hf.hub.card_records import KEY
from mnist1d_hf.mnist1d import CITATION
from mnist1d_hf.stored import Stored, write_files

if TYPE_CHECKING:
    from lightning_module.classifier import Classifier


def model_card(
    existing: str | None,
    stored: Mapping[str, Stored],
    *,
    record: Mapping[str, Any],
    classifier: "Classifier",
    repo_id: str,
) -> str:
    """Returns the card of a classifier; of an existing one, all that others wrote stays.

    Args:
        existing: The card so far; None if there is none.
        stored: What is recorded of weights and configuration.
        record: What is recorded of the classifier.
        classifier: The classifier.
        repo_id: "owner/name".
    """
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
    card.data[KEY] = {**record, "files": write_files(stored)}
    card.text = with_section(card.text, _body(record, classifier, repo_id))
    return str(card)


def _body(record: Mapping[str, Any], classifier: "Classifier", repo_id: str) -> str:
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
