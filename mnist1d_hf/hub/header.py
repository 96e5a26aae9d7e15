"""The header of a repository's card, read as data that somebody else wrote: bounded, parsed, checked entry by entry.

One entry that cannot be used spoils the config that it is about, and no other one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import yaml

from mnist1d_hf.generator.recipe import nearest
from mnist1d_hf.hub.card_records import KEY, ConfigRecord
from mnist1d_hf.hub.schema import CONFIG, MOST_CONFIGS, MOST_VALUES, RECORD, ContentError, check_extent, checked
from mnist1d_hf.one_line import one_line

LARGEST_CARD: Final = 2**21  # bytes
LARGEST_HEADER: Final = 2**18  # characters; with no more values than `MOST_VALUES` it is read in two seconds
MOST_LINE_BREAKS: Final = 1_000  # in a row; the Hub's client looks for a header's end in quadratic time

_STRUCTURE: Final = re.compile(r"[\[\]{},]|:\s|^\s*[-?]\s", flags=re.MULTILINE)  # what begins a value, and some more


@dataclass(frozen=True)
class Header:
    """What a card says of its repository, as far as it can be used.

    Attributes:
        where: What to call the repository or folder in messages.
        data: The header, parsed; its extent is bounded, and nothing else is known of it.
        configs: The entries of `configs` by name, without the name.
        records: How each config that this package wrote was made, and its digests.
        problems: Why a config's entry or record cannot be used.
        stray: Why an entry cannot be used that does not tell which config it is about; empty if there is none.
    """

    where: str
    data: Mapping[str, Any] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    records: Mapping[str, ConfigRecord] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    stray: str = ""

    @property
    def names(self) -> list[str]:
        """Returns all configs that the card names in any way."""
        return list(dict.fromkeys([*self.configs, *self.records, *self.problems]))

    def chosen(self, name: str | None) -> str:
        """Returns the config that is asked for, or the one that is served if none is.

        Raises:
            ContentError: If the card marks several as the one to be served.
            ValueError: If there is no config of this name.
        """
        if name is None:
            marked = [n for n, entry in self.configs.items() if n == "default" or entry.get("default")]
            if len(marked) > 1:
                raise ContentError(
                    f"{self.where} marks several configs as the default one: {', '.join(marked)}; name one"
                )
            only = self.names if len(self.names) == 1 else []
            name = (marked or only or ["default"])[0]
        if self.names and name not in self.names:
            raise ValueError(f"{self.where} has no config {name!r}{one_line(nearest(name, self.names))}")
        return name

    def record_of(self, name: str) -> ConfigRecord | None:
        """Returns the record of a config; None if this package did not write it.

        Raises:
            ContentError: If what the card says of it cannot be used.
        """
        if name in self.problems:
            raise ContentError(f"{self.where}, config {name!r}: {self.problems[name]}")
        if name not in self.records and self.stray:
            raise ContentError(f"{self.where}, config {name!r}: {self.stray}")
        return self.records.get(name)


def read_header(card: bytes, where: str) -> Header:
    """Returns the header of a card.

    Raises:
        ContentError: If there is none that can be read.
    """
    data = parsed_header(card, where)
    configs, problems, stray = _by_name(data.get("configs"), CONFIG, "its entry in `configs`")
    recorded: dict[str, Mapping[str, Any]] = {}
    of_model = isinstance(data.get(KEY), Mapping) and "config_name" not in data[KEY]
    if not of_model:
        recorded, unusable, nameless = _by_name(data.get(KEY), RECORD, "its record")
        problems |= {name: problem for name, problem in unusable.items() if name not in problems}
        stray = nameless or stray
    records: dict[str, ConfigRecord] = {}
    for name, entry in recorded.items():
        try:
            records[name] = ConfigRecord.read(entry)
            _check_version(records[name], configs.get(name, {}))
        except ValueError as error:
            problems.setdefault(name, f"its record: {one_line(error)}")
    return Header(
        where,
        data,
        configs={name: _without_name(entry) for name, entry in configs.items() if name not in problems},
        records={name: record for name, record in records.items() if name not in problems},
        problems=problems,
        stray=stray,
    )


def parsed_header(card: bytes, where: str) -> Mapping[str, Any]:
    """Returns the YAML between the first two lines of three dashes; empty if the card has none.

    Raises:
        ContentError: If it is too large, no text, no YAML, or no mapping.
    """
    problem = partial("the header of README.md of {} {}; tell its owner".format, where)
    if len(card) > LARGEST_CARD:
        raise ContentError(problem(f"cannot be read: README.md has {len(card):,} bytes, more than {LARGEST_CARD:,}"))
    try:
        text = card.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(problem(f"cannot be read: {error}")) from None
    header = header_text(text)
    if len(header) > LARGEST_HEADER:
        raise ContentError(problem(f"has {len(header):,} characters, more than {LARGEST_HEADER:,}"))
    if sum(1 for _ in _STRUCTURE.finditer(header)) > MOST_VALUES:
        raise ContentError(problem(f"has more than {MOST_VALUES:,} values"))
    if re.search(rf"[\r\n]{{{MOST_LINE_BREAKS}}}", text):
        raise ContentError(problem(f"cannot be told from the text: {MOST_LINE_BREAKS} empty lines follow each other"))
    try:
        data = yaml.safe_load(header)  # its faster loader in C ends the process over what is nested too deeply
        check_extent(data, "it")
    except RecursionError:
        raise ContentError(problem("is nested too deeply")) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise ContentError(problem(f"cannot be read ({one_line(error, 300)})")) from None
    if data is None:
        return {}
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise ContentError(problem("is no mapping of names to values"))
    return data


def header_text(text: str) -> str:
    """Returns the YAML of a card, where the Hub's client would find it, but in linear time."""
    start = re.match(r"\s*---[\r\n]+", text)
    end = re.compile(r"[\r\n]---(?:\r\n|\n|\Z)").search(text, start.end() - 1) if start else None
    return text[start.end() : max(end.start(), start.end())] if start and end else ""


def infos_by_config(infos: Any) -> dict[str, Mapping[str, Any]]:
    """Returns what a header has under `dataset_info`, by config; datasets writes a list of one as a mapping."""
    listed = infos if isinstance(infos, list) else [infos]
    return {str(entry.get("config_name", "default")): entry for entry in listed if isinstance(entry, Mapping)}


def _by_name(
    entries: Any, schema: Mapping[str, Any], what: str
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str], str]:
    """Returns the valid entries by config, what is wrong with the others, and what with those without a name."""
    listed = [] if entries is None else entries if isinstance(entries, list) else [entries]
    if len(listed) > MOST_CONFIGS:
        return {}, {}, f"{what} cannot be told: the card lists more than {MOST_CONFIGS} configs"
    found: dict[str, Mapping[str, Any]] = {}
    problems: dict[str, str] = {}
    stray = ""
    for entry in listed:
        name = entry.get("config_name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            stray = stray or f"{what} cannot be told, for the card has one without a config's name"
            continue
        if name in found or name in problems:
            problems[name] = f"{what} is there twice"
        try:
            found[name] = checked(entry, schema, what)
        except ContentError as error:
            problems.setdefault(name, str(error))
    return found, problems, stray


def _check_version(record: ConfigRecord, config: Mapping[str, Any]) -> None:
    version = config.get("version", record.version)
    if version != record.version:
        raise ContentError(f"it says version {record.version}, but `configs` say {version!r}")


def _without_name(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "config_name"}
