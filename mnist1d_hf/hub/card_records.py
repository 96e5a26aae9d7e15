"""What a card's header records of each config beyond what datasets keeps there: how it was made, and its digests.

The records stand under the key ``mnist1d`` of the YAML header, one for each config that this package wrote. The digests
of columns are what a push compares its content with, and what a load verifies against. The digests of files tell
whether the repository still holds what was written into it; a new file of the same content may have other bytes. Of a
config in shards the record has the digest of their list alone, and digests of columns are composed of leaves'. Names of
configs and paths are values and never keys there: the Hub refuses headers with dots in their keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Self

import datasets
from huggingface_hub import CardData

from mnist1d_hf.generator.columns import features_of
from mnist1d_hf.generator.population import population_mean_and_std
from mnist1d_hf.generator.recipe import DEFAULT, Recipe, checked_stream
from mnist1d_hf.generator.templates import digit_templates
from mnist1d_hf.hub.schema import RECORD, ContentError, checked
from mnist1d_hf.manifest import read_manifest
from mnist1d_hf.mnist1d import MNIST1D
from mnist1d_hf.shards.listing import MadeShard, list_path, read_list, split_digests
from mnist1d_hf.stored import Stored, read_files, stored, write_files

KEY: Final = "mnist1d"

Digests = Mapping[str, Mapping[str, str]]  # SHA-256 by split and column


@dataclass(frozen=True, kw_only=True)
class ConfigRecord:
    """The record of one config: how it was made, and what it contains.

    Attributes:
        config_name: Its name in this repository or folder.
        version: Version of its data.
        description: What it is for.
        stream: "reference" or "fast".
        latents: Whether latents are columns.
        recipe: The fields of the recipe that differ from the default one.
        examples: Number of examples of each split.
        digests: SHA-256 of each column of each split; empty for what has no exact content.
        population: Mean and standard deviation that the fast stream normalised by; empty for the reference stream.
        data_files: Where the card says that the files of each split are; empty if none lie beside it.
        stored: Size and digests of each file, by its path in the repository; empty in records of earlier releases.
        shards: Path of the list of its shards, see `mnist1d_hf.shards.listing`; empty if it is not in shards.
    """

    config_name: str
    version: str
    description: str
    stream: str
    latents: bool
    recipe: Mapping[str, Any]
    examples: Mapping[str, int]
    digests: Digests = field(default_factory=dict)
    population: tuple[float, ...] = ()
    data_files: Sequence[Mapping[str, str]] = ()
    stored: Mapping[str, Stored] = field(default_factory=dict)
    shards: str = ""

    @classmethod
    def of(cls, builder: MNIST1D, digests: Digests, *, name: str | None = None, version: str | None = None) -> Self:
        """Returns the record of what a builder makes, under its own name and version or under others."""
        config = builder.config
        recipe = {key: list(v) if isinstance(v, tuple) else v for key, v in config.recipe.differences().items()}
        fast = config.stream == "fast"
        return cls(
            config_name=name or config.name,
            version=version or str(config.version),
            description=config.description,
            stream=config.stream,
            latents=config.latents,
            recipe=recipe,
            examples={split.name: split.num_examples for split in builder.info.splits.values()},
            digests=digests,
            population=population_mean_and_std(config.recipe, digit_templates()) if fast else (),
        )

    @classmethod
    def built(cls, builder: MNIST1D, *, name: str | None = None, version: str | None = None) -> Self:
        """Returns the record of a built config, with the digests of what was built."""
        return cls.of(builder, read_manifest(builder.cache_dir)["digests"], name=name, version=version)

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Returns the record in an entry of a card's header; what a later version adds to it is left out.

        Raises:
            ContentError: If it is no record of what a recipe makes.
        """
        checked(entry, RECORD, "its record")
        known = {each.name for each in fields(cls)} - {"stored"}
        usual = {"description": "", "stream": "reference", "latents": False, "recipe": {}, "examples": {}}
        read = {**usual, **{key: value for key, value in entry.items() if key in known}}
        lists = {key: tuple(read.get(key, ())) for key in ("population", "data_files")}
        record = cls(**{**read, **lists, "stored": read_files(entry.get("files", []))})
        if record.shards and (record.shards != list_path(record.config_name) or record.shards not in record.stored):
            raise ContentError(
                f"its record: its shards must be listed in {list_path(record.config_name)}, with a digest"
            )
        sizes = record.made_of.split_sizes(checked_stream(record.stream))
        if record.examples and dict(record.examples) != sizes:
            raise ContentError(f"its record: it has {dict(record.examples)} examples, but its recipe makes {sizes}")
        return record

    @property
    def made_of(self) -> Recipe:
        """Returns the whole recipe."""
        return DEFAULT.replace(**self.recipe)

    @property
    def features(self) -> datasets.Features:
        """Returns the columns of each split."""
        return features_of(self.made_of, self.latents)

    def missing_digest(self) -> str:
        """Returns what the record lacks that the content has to be compared with, in words; empty if nothing."""
        if not self.examples:
            return "the sizes of its splits"
        for split in self.examples:
            for column in self.features:
                if column not in self.digests.get(split, {}):
                    return f"a digest of column {column!r} of split {split!r}"
        return ""

    @property
    def points(self) -> int:
        """Returns the number of points of a signal."""
        return int(self.recipe.get("final_seq_length", DEFAULT.final_seq_length))

    @property
    def files(self) -> dict[str, str]:
        """Returns the SHA-256 of each file, by its path in the repository."""
        return {path: file.sha256 for path, file in self.stored.items()}

    @property
    def download_size(self) -> int:
        """Returns the bytes of the files with its examples."""
        return sum(file.size or 0 for path, file in self.stored.items() if path != self.shards)

    def expected_data_files(self) -> list[dict[str, str]]:
        """Returns the entries that the card has to have for the files of each split."""
        usual = [{"split": split, "path": f"{self.config_name}/{split}-*"} for split in self.examples]
        return [dict(entry) for entry in self.data_files] or usual

    def with_files(self, stored: Mapping[str, Stored]) -> Self:
        """Returns the record with these files in place of its own."""
        return replace(self, data_files=tuple(self.expected_data_files()), stored=dict(stored))

    def with_list(self, made: Sequence[MadeShard], content: bytes) -> Self:
        """Returns the record of a config that was written in shards.

        Args:
            made: The shards.
            content: Their list, as it was written.
        """
        path = list_path(self.config_name)
        record = replace(self, digests=split_digests(made), shards=path, stored={path: stored(content)})
        return record.with_files(record.stored).with_shards(made)

    def with_shards(self, made: Sequence[MadeShard]) -> Self:
        """Returns the record with the files of its shards beside their list; the header has the list alone."""
        shards = {each.shard.path: each.stored for each in made}
        return replace(self, stored={self.shards: self.stored[self.shards], **shards})

    def read_shards(self, content: bytes) -> list[MadeShard]:
        """Returns the shards in their list.

        Args:
            content: The list, as somebody else may have written it.

        Raises:
            ContentError: If it is not the list that the record tells of.
        """
        if stored(content).sha256 != self.stored[self.shards].sha256:
            raise ContentError(f"{self.shards} is another file than the one that its record tells of")
        try:
            made = read_list(content, self.config_name, self.examples, list(self.features))
        except ValueError as error:
            raise ContentError(f"{self.shards}: {error}") from None
        if split_digests(made) != {split: dict(columns) for split, columns in self.digests.items()}:
            raise ContentError(f"{self.shards} has other digests than the record")
        return made

    def made_alike(self, other: "ConfigRecord") -> bool:
        """Returns whether both were asked for with the same numbers, whatever the bits are."""
        return (self.stream, self.latents, dict(self.recipe)) == (other.stream, other.latents, dict(other.recipe))

    def to_yaml_dict(self) -> dict[str, Any]:
        """Returns plain values for the header; what is empty is left out."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        listed = {self.shards: self.stored[self.shards]} if self.shards else self.stored
        plain["files"] = write_files(listed)
        del plain["stored"]
        if not self.shards:
            del plain["shards"]
        return {key: value for key, value in plain.items() if value not in ({}, [])}


def read_records(data: CardData) -> dict[str, ConfigRecord]:
    """Returns the records of a card's header, by config.

    Raises:
        ValueError: If the header has the key but what stands there are no records.
    """
    entries = data.get(KEY) or []
    records = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, dict) or not {"config_name", "version"} <= entry.keys():
            raise ValueError(
                f"the card's header has the key {KEY!r}, but not a list of entries with config_name and version under "
                "it; restore README.md from an earlier commit of the repository"
            )
        record = ConfigRecord.read(entry)
        if record.config_name in records:
            raise ValueError(f"the record of {record.config_name!r} is there twice; take the wrong one out")
        records[record.config_name] = record
    return records


def write_records(data: CardData, records: Mapping[str, ConfigRecord]) -> None:
    """Puts these records, and no others, into a card's header."""
    if records:
        data[KEY] = [records[name].to_yaml_dict() for name in sorted(records)]
    elif KEY in data:
        data.pop(KEY)
