"""The builder behind ``load_dataset("mnist1d", ...)``. This file's name is the data set's name and its cache's.

`MNIST1D` is a `GeneratorBasedBuilder` that prepares its splits by `ArrowBasedBuilder`'s functions: whole tables instead
of rows, which is thirty times faster. Inheriting from both does not work on all supported versions of datasets.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import datasets
import pyarrow as pa

from mnist1d_hf import manifest
from mnist1d_hf.checks import flag, kind_of, shown, text
from mnist1d_hf.generator.arrays import MNIST1DArrays
from mnist1d_hf.generator.columns import features_of, table_of
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.generate import make_mnist1d
from mnist1d_hf.generator.recipe import (
    DEFAULT,
    FIELD_NAMES,
    RECIPES,
    Recipe,
    RecipeError,
    Stream,
    checked_stream,
    known_name,
    named_recipe,
    nearest,
)
from mnist1d_hf.tidy import children_end_with_this_process, is_unwritable, tidy

# PATCH: the same records in other bytes; MINOR: more columns or configs; MAJOR: any record, order or split changed.
DATA_VERSION: Final = "1.0.0"
DATA_HISTORY: Final = {
    "1.0.0": "First release. The default config is the frozen 2020 data set, bit for bit in float32."
}


LICENSE: Final = "Apache-2.0"
HOMEPAGE: Final = "https://github.com/greydanus/mnist1d"
CITATION: Final = """\
@inproceedings{greydanus2024scaling,
  title={Scaling Down Deep Learning with {MNIST-1D}},
  author={Greydanus, Sam and Kobak, Dmitry},
  booktitle={Proceedings of the 41st International Conference on Machine Learning},
  year={2024}
}"""
DESCRIPTION: Final = (
    "MNIST-1D: ten one-dimensional digit templates, padded, dilated, scaled, shifted, noised, sheared and resampled to "
    "40 points. Small enough for a laptop, hard enough to tell linear, fully connected, convolutional and recurrent "
    "networks apart."
)

SHARD_ROWS: Final = 50 * BLOCK_SIZE  # examples of the fast stream in a piece that processes may share
MOST_SHARDS: Final = 1024  # pieces of a split; longer splits have longer pieces
STREAMED_ROWS: Final = 10 * BLOCK_SIZE  # in a table that is streamed: the first example comes soon
BUILT_ROWS: Final = 1000 * BLOCK_SIZE  # in a table that is written: one chunk, which NumPy can read without copying
LONGEST_SUFFIX: Final = 120  # of a config id that lists its changes; longer ones are hashed
BUILT_BYTES: Final = 1 << 28  # or fewer rows, if they are long
# Part of the name of each cache folder: other code of the generator, another folder. It is the digest of the syntax
# trees of the modules that make the data, so a comment rebuilds nobody's data. The test that computes it lists the
# modules, and says what to write here when one of them has changed: tests/mnist1d_hf/generator/test_generator_code.py.
GENERATOR_CODE: Final = "450f302f2e2f7a1c"

_patched_for_streaming = True  # read by datasets: no patching of open() for streaming, which would import scipy


@dataclass(eq=False)
class MNIST1DConfig(datasets.BuilderConfig):  # type: ignore[misc]  # datasets is not typed
    """A recipe under a name, with the stream that makes it.

    Attributes:
        recipe: The numbers of the generator.
        stream: "reference" or "fast".
        latents: Whether padding, scale, shift and shear of each example are columns.
    """

    recipe: Recipe = DEFAULT
    stream: Stream = "reference"
    latents: bool = False

    def __post_init__(self) -> None:
        text("name", self.name, "the name of a config", error=RecipeError)
        super().__post_init__()
        if not isinstance(self.recipe, Recipe):
            raise RecipeError(f"recipe={shown(self.recipe)} must be a Recipe; it is a {kind_of(self.recipe)}")
        self.stream = checked_stream(self.stream)
        self.latents = flag("latents", self.latents, error=RecipeError)

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        """Returns the name, and behind it every keyword that differs from what the name stands for, in one form."""
        changed = self.changes()
        readable = ",".join(f"{key}={_printable(changed[key])}" for key in sorted(changed))
        if custom_features is None and len(readable) <= LONGEST_SUFFIX:
            return f"{self.name}-{readable}" if readable else self.name
        return str(super().create_config_id({"changed": readable} if readable else {}, custom_features))

    def split_sizes(self) -> dict[str, int]:
        """Returns the size of each split that has examples: an empty one could not be loaded, nor others beside it."""
        return {name: n for name, n in self.recipe.split_sizes(self.stream).items() if n}

    def changes(self) -> dict[str, Any]:
        """Returns the keywords that turn the config that has this name into this one."""
        named = named_recipe(self.name)
        pairs = {field: (getattr(self.recipe, field), getattr(named.recipe, field)) for field in FIELD_NAMES}
        pairs |= {key: (getattr(self, key), getattr(named, key)) for key in ("stream", "latents")}
        return {key: value for key, (value, original) in pairs.items() if value != original}


class MNIST1D(datasets.GeneratorBasedBuilder):  # type: ignore[misc]  # datasets is not typed
    """The builder of MNIST-1D and its variants, by any field of a `Recipe`, ``stream`` and ``latents`` as keywords.

    Raises:
        RecipeError: If the config, a keyword or its value is not allowed; nothing has been written then.
    """

    VERSION = datasets.Version(DATA_VERSION)
    BUILDER_CONFIG_CLASS = MNIST1DConfig
    BUILDER_CONFIGS: ClassVar[list[MNIST1DConfig]] = [
        MNIST1DConfig(
            name=name,
            version=datasets.Version(DATA_VERSION),
            description=named.why,
            recipe=named.recipe,
            stream=named.stream,
            latents=named.latents,
        )
        for name, named in RECIPES.items()
    ]
    DEFAULT_CONFIG_NAME = "default"
    DEFAULT_WRITER_BATCH_SIZE = BUILT_ROWS

    def __init__(self, *, config_name: str | None = None, hash: str | None = None, **keywords: Any) -> None:
        # `hash` comes from the module factory, which cannot know the numbers; ours does.
        builder_keywords = {key: keywords.pop(key) for key in _BUILDER_KEYWORDS & keywords.keys()}
        config_name = self.DEFAULT_CONFIG_NAME if config_name is None else known_name(config_name)
        recipe, stream, latents = _chosen(config_name, keywords)
        builder_keywords |= {"config_name": config_name, "hash": _content_hash(recipe, stream, latents)}
        builder_keywords |= {"recipe": recipe, "stream": stream, "latents": latents}
        self._reference_arrays: MNIST1DArrays | None = None
        try:
            super().__init__(**builder_keywords)
        except OSError as error:  # a lock could not be written
            if not is_unwritable(error):
                raise
            self._open_read_only(builder_keywords)

    def _open_read_only(self, keywords: dict[str, Any]) -> None:
        """Starts without a lock, as nothing is written: a cache that is shared by a class, say."""
        root = os.path.abspath(os.path.expanduser(keywords.get("cache_dir") or datasets.config.HF_DATASETS_CACHE))
        super().__init__(**keywords | {"cache_dir": f"file://{root}"})  # to the library, a place that has no locks
        self._cache_dir_root = root
        self._cache_downloaded_dir = os.path.join(root, datasets.config.DOWNLOADED_DATASETS_DIR)
        self._cache_dir = self._output_dir = self._build_cache_dir()
        if manifest.format_of(self._cache_dir) is not None:
            self.info = self._load_info()

    @property
    def cache_root(self) -> str:
        """Returns the cache that the builder writes to."""
        return str(self._cache_dir_root)

    def download_and_prepare(
        self, output_dir: str | None = None, *arguments: Any, file_format: str | None = "arrow", **keywords: Any
    ) -> None:
        """Builds the data set, or finds it built; see `datasets.DatasetBuilder.download_and_prepare`.

        In the cache, files of another format than is asked for are replaced: datasets would not find them.

        Raises:
            OSError: If it is not there and the cache cannot be written to; the message says what to do.
        """
        mode = datasets.DownloadMode(keywords.get("download_mode") or datasets.DownloadMode.REUSE_DATASET_IF_EXISTS)
        in_cache = output_dir in (None, self._cache_dir) and not arguments
        held = manifest.format_of(self._cache_dir) if in_cache else None
        reused = mode == datasets.DownloadMode.REUSE_DATASET_IF_EXISTS and held == (file_format or "arrow")
        if in_cache and held is not None and not reused:
            keywords["download_mode"] = datasets.DownloadMode.FORCE_REDOWNLOAD
        try:
            super().download_and_prepare(output_dir, *arguments, file_format=file_format, **keywords)
        except OSError as error:
            if not in_cache or not is_unwritable(error):
                raise
            if not reused:
                raise OSError(
                    f"The config {self.config_id!r} is not in the cache {self.cache_root}, which cannot be written to "
                    f"({error}): let its owner run `mnist1d data build {self.config.name}` with the same numbers, or "
                    "set HF_DATASETS_CACHE or cache_dir= to a folder that you may write to"
                ) from error
            self._output_dir, self._file_format, self.info = self._cache_dir, file_format, self._load_info()
        if in_cache:
            tidy(self.cache_root)

    def _info(self) -> datasets.DatasetInfo:
        if changes := self.config.changes():
            listed = ", ".join(f"{key}={value!r}" for key, value in changes.items())
            self.config.description = f"The config {self.config.name} with {listed}."
        features = features_of(self.config.recipe, self.config.latents)
        row_bytes = sum(_value_bytes(field.type) for field in features.arrow_schema)
        splits = datasets.SplitDict()
        for name, n in self.config.split_sizes().items():
            splits.add(datasets.SplitInfo(name=name, num_bytes=n * row_bytes, num_examples=n))
        size = splits.total_num_examples * row_bytes
        return datasets.DatasetInfo(
            description=f"{DESCRIPTION} {self.config.description}",
            citation=CITATION,
            homepage=HOMEPAGE,
            license=LICENSE,
            features=features,
            splits=splits,
            download_size=0,
            dataset_size=size,
            size_in_bytes=size,  # read before a build, to see whether the disk has room
        )

    def _build_cache_dir(self) -> str:
        folder = str(super()._build_cache_dir())
        manifest.discard_if_damaged(folder)  # before the library reads its dataset_info.json
        return folder

    def _download_and_prepare(self, dl_manager: Any, verification_mode: Any, **keywords: Any) -> None:
        is_local = os.path.isdir(self._output_dir)
        if is_local:
            manifest.empty_folder(self._output_dir)
        if self.config.stream == "reference":  # once for both splits
            self._reference_arrays = self._make_reference()
        try:
            super()._download_and_prepare(dl_manager, verification_mode, **keywords)
        finally:
            self._reference_arrays = None
        if is_local:
            manifest.write_manifest(self._output_dir, self._made_with(), list(self.info.splits))

    def _made_with(self) -> dict[str, Any]:
        config = self.config
        return {
            "data_version": str(config.version),
            "config_id": self.config_id,
            "stream": config.stream,
            "latents": config.latents,
            "recipe": asdict(config.recipe),
        }

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        del dl_manager  # nothing is downloaded
        return [
            datasets.SplitGenerator(name=name, gen_kwargs={"split": name, "ranges": self._ranges(n)})
            for name, n in self.config.split_sizes().items()
        ]

    def _ranges(self, n: int) -> list[tuple[int, int]]:
        """Returns pieces of a split that can be made apart; datasets shares them out to processes."""
        if self.config.stream == "reference":
            return [(0, n)]
        rows = SHARD_ROWS * max(1, -(-n // (SHARD_ROWS * MOST_SHARDS)))
        return [(start, min(start + rows, n)) for start in range(0, n, rows)]

    def _make_reference(self) -> MNIST1DArrays:
        return make_mnist1d(self.config.recipe, stream="reference", latents=self.config.latents)

    def _generate_tables(
        self, split: str, ranges: Sequence[tuple[int, int]], table_rows: int = STREAMED_ROWS
    ) -> Iterator[tuple[str, pa.Table]]:
        features = features_of(self.config.recipe, self.config.latents)
        if self.config.stream == "reference":
            arrays = self._reference_arrays or self._make_reference()
            yield "0", table_of(arrays.train if split == "train" else arrays.test, features)
            return
        stream = FastStream.of(self.config.recipe)
        for start, stop in ranges:
            for first in range(start, stop, table_rows):
                last = min(first + table_rows, stop)
                yield str(first), table_of(stream.slice(split, first, last, latents=self.config.latents), features)

    def _generate_examples(self, split: str, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, table in self._generate_tables(split, ranges):
            for i, row in enumerate(table.to_pylist()):
                yield f"{key}_{i}", row

    def _prepare_split(self, split_generator: Any, check_duplicate_keys: bool = False, **keywords: Any) -> None:
        del check_duplicate_keys  # rows have no keys
        with children_end_with_this_process():
            datasets.ArrowBasedBuilder._prepare_split(self, split_generator, **keywords)

    def _prepare_split_single(self, *, gen_kwargs: dict[str, Any], **keywords: Any) -> Any:
        # Neighbouring pieces that one process got are one again, and are written in tables as large as memory allows.
        ranges = gen_kwargs["ranges"]
        rows = min(BUILT_ROWS, max(BLOCK_SIZE, BUILT_BYTES // (4 * self.config.recipe.final_seq_length)))
        joined = {**gen_kwargs, "ranges": [(ranges[0][0], ranges[-1][1])], "table_rows": rows}
        return datasets.ArrowBasedBuilder._prepare_split_single(self, gen_kwargs=joined, **keywords)

    def _get_examples_iterable_for_split(self, split_generator: Any) -> Any:
        if self.config.stream == "reference":
            return datasets.ArrowBasedBuilder._get_examples_iterable_for_split(self, split_generator)
        from mnist1d_hf.streaming import streamed

        split = split_generator.name
        return streamed(self.config.recipe, self.config.latents, split, self.config.split_sizes()[split])


_BUILDER_KEYWORDS: Final = frozenset(
    {"base_path", "cache_dir", "config_id", "data_dir", "data_files", "dataset_name", "features", "info", "repo_id"}
    | {"storage_options", "token", "writer_batch_size"}
)


def _chosen(config_name: str, keywords: dict[str, Any]) -> tuple[Recipe, Stream, bool]:
    """Returns the recipe, stream and latents of a config with these keywords, in normal form; None means not given."""
    named = named_recipe(config_name)
    known = (*FIELD_NAMES, "stream", "latents")
    unknown = [name for name in keywords if name not in known]
    if unknown:
        raise RecipeError(f"{unknown[0]!r} is no keyword of this data set{nearest(unknown[0], known)}")
    given = {name: value for name, value in keywords.items() if value is not None}
    stream = checked_stream(given.pop("stream", named.stream))
    latents = flag("latents", given.pop("latents", named.latents), error=RecipeError)
    recipe = named.recipe.replace(**given)
    recipe.split_sizes(stream)  # is an error if the stream cannot hold them
    return recipe, stream, latents


def _content_hash(recipe: Recipe, stream: Stream, latents: bool) -> str:
    """Returns the cache folder's name, another one whenever the numbers, the version or the generator's code differ."""
    return hashlib.sha256(f"{DATA_VERSION} {recipe} {stream} {latents} {GENERATOR_CODE}".encode()).hexdigest()[:16]


def _printable(value: Any) -> str | int | float | bool:
    return "-".join(map(str, value)) if isinstance(value, tuple) else value


def _value_bytes(kind: pa.DataType) -> int:
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size) * _value_bytes(kind.value_type)
    return int(kind.bit_width) // 8
