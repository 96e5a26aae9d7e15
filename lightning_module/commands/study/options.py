"""Options that several study commands have, and what they stand for: a saved result, changed numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import jsonargparse

from lightning_module.commands.group import Parser
from lightning_module.commands.options import Option
from lightning_module.studies import STUDIES
from mnist1d_hf.engine.choose import EngineName

if TYPE_CHECKING:
    from lightning_module.studies.framework.cells import Config
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

FOLDER: Final = "outputs/studies"
PRESET: Final = "quick"

Name = Annotated[
    str, "name of a study, see mnist1d study list; or a Python file with a STUDY, or a folder with a study.py"
]
Preset = Annotated[str, "smoke (seconds), quick (minutes) or paper"]
Engine = Annotated[EngineName, "local: processes of this machine; ray: a Ray cluster, with the extra scale"]
Address = Annotated[
    str | None,
    Option("of the Ray cluster; auto for the one that this machine belongs to; without it one is begun here"),
]
Mnist = Annotated[str | None, Option("the MNIST digits, for the studies that use them", metavar="FILE.npz")]
Sources = Annotated[
    list[str] | None, Option("files of other data sets: fashion_mnist=FOLDER", name="--set", metavar="NAME=PATH")
]
Folder = Annotated[str | None, f"of the result; {FOLDER}/NAME-PRESET if not given"]


def saved_result(name: str, preset: str, folder: str | None) -> "tuple[Study[Any], Result, Path]":
    """Returns a study, its result, and the result's folder.

    Raises:
        ValueError: If the folder holds no result, or one of another study.
    """
    from lightning_module.studies.framework.result import Result

    study = STUDIES.find(name)
    place = Path(folder) if folder else study.folder(preset)
    result = Result.load(place)
    if result.study != study.name:
        raise ValueError(f"folder={str(place)!r} holds a result of study {result.study!r}, not of {study.name!r}")
    return study, result, place


def changed(config: "Config", changes: Sequence[str]) -> "Config":
    """Returns the numbers with some of them changed, given as `name=value`, the value in the type of the field.

    Raises:
        ValueError: If there is no such number, or it cannot have this value.
    """
    from dataclasses import fields, replace

    from mnist1d_hf.generator.recipe import nearest

    known = [field.name for field in fields(config)]
    for change in changes:
        if change.partition("=")[0] not in known or "=" not in change:
            raise ValueError(f"--set {change!r} must be NAME=VALUE{nearest(change.partition('=')[0], known)}")
    parser = Parser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(type(config))
    parser.set_defaults({name: getattr(config, name) for name in known})
    try:
        values = parser.parse_args([f"--{change}" for change in changes])
    except jsonargparse.ArgumentError as error:
        raise ValueError(f"--set {' '.join(changes)}: {' '.join(str(error).split())}") from error
    return replace(config, **{change.partition("=")[0]: values[change.partition("=")[0]] for change in changes})


def with_sources(config: "Config", mnist: str | None, sources: Sequence[str] | None) -> "Config":
    """Returns the numbers with other places of data, given as `name=path`; nothing else of a result may change.

    Raises:
        ValueError: If that is no place of data, or the study has none of this name.
    """
    from dataclasses import fields

    places = [field.name for field in fields(config) if not field.compare]
    for source in sources or ():
        if (name := source.partition("=")[0]) not in places:
            known = f"one of {', '.join(places)}" if places else "nothing, for all data of this study come with it"
            raise ValueError(f"--set {source!r}: {name} must be {known}: only where data come from may be another here")
    return changed(config, [*(sources or ()), *([f"mnist={mnist}"] if mnist else [])])


def config_again(
    study: "Study[Any]", result: "Result", mnist: str | None = None, sources: Sequence[str] | None = None
) -> "Config":
    """Returns the numbers that a result was made with, and where its data come from, to compute its cells again.

    A Hub is asked only for data that the result has from there: what could not be had then may be to be had now.

    Raises:
        ConfigError: If they cannot be had, or a file of data is not named, or is another one.
        ValueError: If one of the sources is no place of data of the study.
    """
    from dataclasses import fields

    from lightning_module.studies.framework.cells import ConfigError
    from lightning_module.studies.framework.proof.verify import config_of
    from lightning_module.studies.framework.records.json_files import as_json

    config = config_of(study, result)
    kept = {field.name: result.config[field.name] for field in fields(config) if not field.compare}
    asked = any("hub" in what for what in result.data.values() if isinstance(what, dict))
    flags = {name: value and (asked or name != "hub") for name, value in kept.items() if isinstance(value, bool)}
    config = changed(config, [f"{name}={str(value).lower()}" for name, value in flags.items()])
    config = with_sources(config, mnist, sources)
    record = as_json(config.record())
    if odd := [name for name in record if name != "hub" and record[name] != result.config[name]]:
        name = odd[0]
        option = "--mnist " if name == "mnist" else f"--set {name}="
        raise ConfigError(
            f"the result was made with {name}={result.config[name]}, not with {record[name]}; name the file with "
            f"{option}PATH"
        )
    return config
