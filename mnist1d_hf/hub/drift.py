"""Whether a repository or folder still holds what its own records say: the files, and where its card says they are.

Anybody may write into a repository without this package: `Dataset.push_to_hub` of another data set under the same name,
a file that is replaced, an entry of the header that is edited. The records in the card then tell of content that is
loaded no more. What is compared is the repository with its own records, never with a newly written file, because
another version of the Parquet library writes the same content in other bytes.
"""

import fnmatch
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from datasets import Features
from datasets.utils.metadata import MetadataConfigs

from mnist1d_hf.hub.card import parsed
from mnist1d_hf.hub.card_records import ConfigRecord, read_records
from mnist1d_hf.hub.header import infos_by_config
from mnist1d_hf.stored import Stored

# What an entry of `configs` may hold; anything else (columns, filters, features, ...) would change what is loaded.
ENTRY_KEYS: Final = frozenset({"data_files", "version", "description", "default"})


@dataclass(frozen=True)
class Drift:
    """The differences of a config, or a model, from its record.

    Attributes:
        missing: Files that are gone.
        changed: Files with another content.
        extra: Files that are loaded too, and are not in the record.
        card: What the card says otherwise, in words.
        unproven: Files of which too little is known to compare them; nothing else is known to be wrong with them.
    """

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    card: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[str, ...]:
        """Returns all differences, in words; empty if there are none."""
        return (
            *(f"the file {path!r} is gone" for path in self.missing),
            *(f"the file {path!r} has another content" for path in self.changed),
            *(f"the file {path!r} would be loaded too" for path in self.extra),
            *self.card,
        )

    @property
    def lost(self) -> bool:
        """Returns whether content is gone or replaced, so that files must be written again."""
        return bool(self.missing or self.changed)


def drifts(text: str | None, stored: Mapping[str, Stored], *, whole: bool = True) -> dict[str, Drift]:
    """Returns the difference of each config that the card records from its record.

    Args:
        text: The card.
        stored: All files beside it: `Remote.head(contents=True).stored` of a repository, `stored_in(...)` of a folder.
        whole: Whether these are all files; of a copy of which only a part was fetched, what is not here is not missing.

    Raises:
        CardError: If the card cannot be read.
    """
    if not text:
        return {}
    data = parsed(text).data
    configs = MetadataConfigs.from_dataset_card_data(data)
    infos = data.get("dataset_info")
    twice, records = named_twice(data.get("configs"), infos), read_records(data)
    return {
        name: drift_of(record, configs, infos, stored, whole=whole, twice=twice) for name, record in records.items()
    }


def drift_of(
    record: ConfigRecord,
    configs: Mapping[str, Mapping[str, Any]],
    infos: Any,
    stored: Mapping[str, Stored],
    *,
    whole: bool = True,
    twice: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Drift:
    """Returns the difference of one config from its record.

    Args:
        record: The record.
        configs: The card's entries of `configs`, by name.
        infos: What the card has under `dataset_info`.
        stored: All files beside the card, as in `drifts`.
        whole: Whether these are all files, as in `drifts`.
        twice: See `named_twice`.
    """
    name = record.config_name
    repeated = (
        f"the card has two entries of it under {key}: which one counts is not said" for key in twice.get(name, ())
    )
    card = (*repeated, *_entry_drift(record, configs), *_info_drift(record, infos_by_config(infos).get(name)))
    return replace(_record_drift(record, stored, whole), card=card)


def named_twice(configs: Any, infos: Any) -> dict[str, list[str]]:
    """Returns the keys of a card's header under which a config has more than one entry, by config."""
    found: dict[str, list[str]] = {}
    for key, listed in (("configs", configs), ("dataset_info", infos)):
        entries = listed if isinstance(listed, list) else []
        names = Counter(str(entry.get("config_name")) for entry in entries if isinstance(entry, dict))
        for name in (name for name, count in names.items() if count > 1):
            found.setdefault(name, []).append(key)
    return found


def files_drift(expected: Mapping[str, Stored], stored: Mapping[str, Stored], *, whole: bool = True) -> Drift:
    """Returns the difference of files from what a record says of them."""
    compared = {path: file.equals(stored[path]) for path, file in expected.items() if path in stored}
    absent = tuple(sorted(expected.keys() - stored.keys()))
    unproven = tuple(path for path, equal in compared.items() if equal is None)
    return Drift(
        missing=absent if whole else (),
        changed=tuple(path for path, equal in compared.items() if equal is False),
        unproven=unproven if whole else (*unproven, *absent),
    )


def matching(record: ConfigRecord, paths: Iterable[str], split: str | None = None) -> list[str]:
    """Returns those of the paths that are loaded as the config, or as a split; ``*`` does not reach into folders."""
    return named_by([entry["path"] for entry in record.expected_data_files() if split in (None, entry["split"])], paths)


def recorded_files(record: ConfigRecord) -> Mapping[str, Stored]:
    """Returns the files in a record; none if a split has none among them, for then it is no record of all of them."""
    complete = all(matching(record, record.stored, split) for split in record.examples)
    return record.stored if complete else {}


def usual_paths(record: ConfigRecord) -> dict[str, str]:
    """Returns the file of each split where a record names none, as releases without file digests wrote them."""
    return {split: f"{record.config_name}/{split}-00000-of-00001.parquet" for split in record.examples}


def _record_drift(record: ConfigRecord, stored: Mapping[str, Stored], whole: bool) -> Drift:
    expected = recorded_files(record) or dict.fromkeys(usual_paths(record).values(), Stored())
    if record.shards and not recorded_files(record):  # the list of its shards is not what the record says
        return files_drift(record.stored, stored, whole=whole)
    extra = tuple(path for path in matching(record, stored) if path not in expected)
    return replace(files_drift(expected, stored, whole=whole), extra=extra)


def named_by(patterns: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Returns the paths that a pattern names, as datasets reads it: ``*`` does not reach into folders, ``**`` does."""
    wanted = [pattern.split("/") for pattern in patterns]
    return sorted(path for path in paths if any(_matches(path.split("/"), each) for each in wanted))


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Returns whether a pattern names a path, both in parts; in linear time, as somebody else may have written it."""
    ends = {0}  # how many parts of the path the pattern may have used up
    for each in wanted:
        if not ends:
            return False
        if each == "**":
            ends = set(range(min(ends), len(parts) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(parts) and fnmatch.fnmatchcase(parts[end], each)}
    return len(parts) in ends


def _entry_drift(record: ConfigRecord, configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns where the config's entry in the card differs from its record."""
    entry = configs.get(record.config_name)
    if entry is None:
        return ["the card no longer names it under configs"]
    problems = []
    expected, named = (_by_split(files) for files in (record.expected_data_files(), entry.get("data_files")))
    if named != expected:
        problems.append(f"the card says that its files are {_paths(named)}, not {_paths(expected)}")
    if str(entry.get("version")) != record.version:
        problems.append(f"the card gives it the version {entry.get('version')!r}, not {record.version!r}")
    if others := sorted(map(str, entry.keys() - ENTRY_KEYS)):
        problems.append(f"the card has {', '.join(map(repr, others))} in its entry, which may change what is loaded")
    defaults = [name for name, other in configs.items() if name == "default" or other.get("default")]
    if record.config_name in defaults and len(defaults) > 1:
        problems.append(f"the card has several default configs, {', '.join(map(repr, defaults))}: none can be loaded")
    return problems


def _by_split(data_files: Any) -> dict[str, list[str]] | str:
    """Returns the patterns of each split; the entry as a text, if it does not name them."""
    try:
        named = {str(entry["split"]): entry["path"] for entry in data_files}
    except (TypeError, KeyError):
        return repr(data_files)
    return {split: [path] if isinstance(path, str) else list(path) for split, path in named.items()}


def _paths(named: Mapping[str, list[str]] | str) -> str:
    return named if isinstance(named, str) else ", ".join(repr(path) for paths in named.values() for path in paths)


def _info_drift(record: ConfigRecord, info: Mapping[str, Any] | None) -> list[str]:
    """Returns where columns and sizes in the card differ from the record; datasets loads by these, or not at all."""
    if info is None:
        return ["the card no longer tells its columns and sizes under dataset_info"]
    problems = []
    if _read_features(info.get("features")) != record.features:
        problems.append("the card tells other columns or types of it under dataset_info")
    splits = info.get("splits")
    listed = [entry for entry in splits if isinstance(entry, dict)] if isinstance(splits, list) else []
    if {entry.get("name"): entry.get("num_examples") for entry in listed} != dict(record.examples):
        problems.append("the card tells other numbers of examples of it under dataset_info")
    return problems


def _read_features(listed: Any) -> Features | None:
    try:
        return Features._from_yaml_list(listed)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
        return None
