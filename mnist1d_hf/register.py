"""The bare name ``mnist1d``, made known to ``datasets.load_dataset``.

datasets has no plug-ins: its table of packaged builders would look for data files in the working directory, and it has
no entry points. What works on every supported version is to wrap the one function that turns a name into a module.
"""

import functools
import logging
import os
from collections.abc import Callable
from typing import Any, Final

import datasets.inspect
import datasets.load

NAME: Final = "mnist1d"
MODULE: Final = "mnist1d_hf.mnist1d"
TABLES: Final = frozenset({"arrow", "csv", "json", "parquet"})  # datasets' modules for files with columns

logger = logging.getLogger(__name__)

Factory = Callable[..., datasets.load.DatasetModule]


def register() -> None:
    """Lets ``load_dataset("mnist1d", ...)`` and its siblings find the builder. Doing it again changes nothing."""
    if not getattr(datasets.load.dataset_module_factory, "_knows_mnist1d", False):
        wrapped = _knowing_mnist1d(datasets.load.dataset_module_factory)
        datasets.load.dataset_module_factory = wrapped
        datasets.inspect.dataset_module_factory = wrapped


def _knowing_mnist1d(factory: Factory) -> Factory:
    @functools.wraps(factory)
    def dataset_module_factory(path: str, revision: Any = None, *args: Any, **keywords: Any) -> Any:
        if path != NAME:
            return factory(path, revision, *args, **keywords)
        if os.path.isdir(NAME):  # a folder of that name comes first, as for any other data set, if it is one
            try:
                module = factory(path, revision, *args, **keywords)
            except (datasets.exceptions.DataFilesNotFoundError, FileNotFoundError):
                pass  # it holds no data files: a folder of code, say
            else:
                if _holds_tables(module):
                    return module
                logger.warning("The folder ./%s holds no tables, so the data set %r is generated.", NAME, NAME)
        _refuse_files(keywords)
        _check_revision(revision)
        return datasets.load.DatasetModule(MODULE, "", {"dataset_name": NAME})

    dataset_module_factory._knows_mnist1d = True  # type: ignore[attr-defined]
    return dataset_module_factory


def _holds_tables(module: datasets.load.DatasetModule) -> bool:
    """Returns whether a folder is a data set: its card says so, or it has tables.

    datasets would take any text or picture for data, so those of a clone of the reference's repository.
    """
    declared = module.builder_configs_parameters.metadata_configs
    return bool(declared) or module.module_path.rpartition(".")[2] in TABLES


def _refuse_files(keywords: dict[str, Any]) -> None:
    for name in ("data_files", "data_dir"):
        if keywords.get(name) is not None:
            raise ValueError(
                f"{name}={keywords[name]!r} cannot be used with {NAME!r}, which is generated and not read from files; "
                f'leave it out, or load those files with load_dataset("parquet", {name}=...)'
            )


def _check_revision(revision: Any) -> None:
    from mnist1d_hf.mnist1d import DATA_VERSION

    if revision is not None and str(revision).removeprefix("data-").removeprefix("v") != DATA_VERSION:
        raise ValueError(
            f"revision={str(revision)!r} cannot be generated: this installation makes version {DATA_VERSION} of the "
            "data; leave revision out, install the release of mnist1d-hf that makes the version you need, or load it "
            'from a Hub repository that has it as a tag: load_dataset("owner/name", config, revision=...)'
        )
