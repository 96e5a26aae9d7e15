"""What has to change in a repository so that it holds a classifier: judged by its files, not by its card's claims."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from huggingface_hub import CommitOperationAdd
from safetensors import SafetensorError
from safetensors.torch import load_file

from lightning_module.model_schema import checked_record
from lightning_module.pretrained import CONFIG, WEIGHTS, weights_digest
from mnist1d_hf.hub.card import CARD
from mnist1d_hf.hub.card_records import KEY
from mnist1d_hf.hub.drift import files_drift
from mnist1d_hf.hub.header import parsed_header
from mnist1d_hf.hub.publish import Plan, RefusedError
from mnist1d_hf.hub.remote import Head, Remote
from mnist1d_hf.hub.schema import ContentError
from mnist1d_hf.stored import Stored, read_files, stored

SAME: Final = ("network", "path", "config_id", "version")  # of a record: what the same weights are, and come from

CardOf = Callable[[str | None, Mapping[str, Stored]], str]


class ModelPlanner:
    """The planner of what has to change at a commit; remembers the last change.

    Args:
        remote: The repository.
        contents: Weights and configuration, by the names of their files.
        record: What is to be recorded of the classifier.
        card: Makes the card of an existing one and of what is to be recorded of the files.
    """

    def __init__(self, remote: Remote, contents: Mapping[str, bytes], record: Mapping[str, Any], card: CardOf) -> None:
        self.remote, self.contents, self.record, self.card = remote, contents, record, card
        self.stored = {name: stored(content) for name, content in contents.items()}
        self.written: Mapping[str, bytes] = {}
        self.repaired: Sequence[str] = ()

    def plan_at(self, head: Head) -> Plan:
        """Returns the plan for a commit: what has to change there.

        Raises:
            RemoteError: If the repository cannot be read.
            RefusedError: If its card cannot be read.
        """
        existing = self.remote.text(CARD, head)
        present = _recorded(existing, self.remote.repo_id)
        written: dict[str, bytes] = {}
        repaired: Sequence[str] = ()
        files: Mapping[str, Stored] | None = None
        if present.get("sha256") == self.record["sha256"]:
            repaired, files = self._judged(present, head)
        if files is None:
            written = dict(self.contents)
            files = self.stored
        holds = not written and not repaired
        if written or repaired or files != _files(present):
            written[CARD] = self.card(existing, files).encode()
        if written:
            self.written, self.repaired = written, repaired
        return Plan([CommitOperationAdd(name, content) for name, content in written.items()], holds_content=holds)

    def _judged(self, present: Mapping[str, Any], head: Head) -> tuple[Sequence[str], Mapping[str, Stored] | None]:
        """Returns how the repository has drifted from its record, and its files; None if they must be written."""
        recorded = _files(present)
        expected = {name: recorded.get(name, Stored()) for name in self.contents}
        drift = files_drift(expected, head.stored)
        card = tuple(
            f"the card gives the {name.replace('_', ' ')} {present.get(name)!r}, not {self.record[name]!r}"
            for name in SAME
            if present.get(name) != self.record[name]
        )
        if drift.lost:
            return (*drift.found, *card), None
        if not drift.unproven:
            return card, recorded
        local = {name: self.remote.download(name, head.commit) for name in self.contents}
        try:
            same = weights_digest(load_file(local[WEIGHTS])) == self.record["sha256"]
        except (SafetensorError, OSError, ValueError):
            same = False
        if not same:
            return (f"the file {WEIGHTS!r} has another content", *card), None
        if local[CONFIG].read_bytes() != self.contents[CONFIG]:  # nothing tells what it was: it may be one of others
            return (f"the file {CONFIG!r} is not recorded, and is another one", *card), None
        return card, {name: stored(path) for name, path in local.items()}


def _recorded(card: str | None, repo_id: str) -> Mapping[str, Any]:
    """Returns what the card records; empty if it is no card of ours, for what must not be used counts as nothing.

    Raises:
        RefusedError: If the card's header cannot be read: what others wrote there would be lost.
    """
    try:
        header = parsed_header(card.encode(), repo_id) if card else {}
    except ContentError as error:
        raise RefusedError(f"{error}; or repair it by hand") from None
    try:
        record = header.get(KEY)
        return checked_record(record if isinstance(record, Mapping) else None, repo_id) or {}
    except ContentError:
        return {}


def _files(present: Mapping[str, Any]) -> dict[str, Stored]:
    return read_files(present.get("files", []))
