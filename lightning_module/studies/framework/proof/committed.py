"""The results that come with this package, and a digest of each one's `result.json`, by which it is known.

    python -m lightning_module.studies.framework.proof.committed docs/results

writes the list anew; it belongs to the change that commits a result.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from lightning_module.studies.framework.records.json_files import read_json
from lightning_module.studies.framework.records.result_head import DamagedResultError
from lightning_module.studies.framework.result import Result
from mnist1d_hf.atomic import replace
from mnist1d_hf.stored import file_digest

FILE: Final = "committed.json"
PAPER: Final = "paper"  # the preset of results that have their study's folder


@dataclass(frozen=True)
class Committed:
    """A committed result.

    Attributes:
        preset: Its preset.
        finished: When it was finished, as it says itself.
        sha256: The digest of its `result.json`, which has those of all its other files.
        outside: The regression bands that it was outside of when it was committed.
    """

    preset: str
    finished: str
    sha256: str
    outside: tuple[str, ...]


def relation(result: Result, folder: Path) -> Literal["is", "claims to be", "is another"]:
    """Returns whether a result is the committed one of its study and preset, only says so, or is a run of its own."""
    known = known_of(result)
    if known is None:
        return "is another"
    if digest(folder) == known.sha256:
        return "is"
    return "claims to be" if result.provenance.get("finished") == known.finished else "is another"


def known_of(result: Result) -> Committed | None:
    """Returns what is known of the committed result of a result's study and preset; None if there is none."""
    return committed().get(_key(result.study, result.preset))


def _key(study: str, preset: str) -> str:
    """Returns the folder of a committed result: that of its study, or one in it for the new seeds of an amendment."""
    return study if preset == PAPER else f"{study}/{preset}"


@cache
def committed() -> dict[str, Committed]:
    """Returns the committed results by their folders: one of each packaged study, and those of amendments within."""
    text = files("lightning_module.studies.framework.proof").joinpath(FILE).read_text(encoding="utf-8")
    return {
        name: Committed(each["preset"], each["finished"], each["sha256"], tuple(each["outside"]))
        for name, each in json.loads(text).items()
    }


def committed_result(study: str) -> Result:
    """Returns the result of a packaged study at the size of the paper, which comes with the package.

    Args:
        study: The name of a study, such as "pooling"; `mnist1d study list` prints them. "lottery/amended" is the
            result on new seeds by which amended rules were judged.

    Raises:
        ValueError: If no result of that name comes with the package.
        DamagedResultError: If a file of it is not what was committed.
    """
    if study not in committed():
        raise ValueError(f"study={study!r} has no result in this package; there are {', '.join(sorted(committed()))}")
    # Beside the packages in a clone; in an installed package.
    places = [_package().parent / "docs" / "results" / study, _package() / "results" / study]
    folder = next((place for place in places if (place / "result.json").is_file()), None)
    if folder is None:
        name, _, preset = study.partition("/")
        raise ValueError(
            f"study={study!r}: its result is not here, {' and '.join(map(str, places))} are missing: install the "
            f"package again, or make it anew: mnist1d study run {name} --preset {preset or PAPER}"
        )
    if digest(folder) != committed()[study].sha256:
        raise DamagedResultError(
            f"{folder / 'result.json'} is not the committed one: restore it, or load your own by Result.load"
        )
    return Result.load(folder)


def _package() -> Path:
    return Path(str(files("lightning_module")))


def digest(folder: Path) -> str:
    """Returns the digest of a folder's `result.json`."""
    return file_digest(folder / "result.json")


def content(results: Path) -> str:
    """Returns the list of all results in the folders of a folder."""
    from lightning_module.studies import STUDIES

    listed = {}
    for file in sorted([*results.glob("*/result.json"), *results.glob("*/*/result.json")]):
        result = Result.load(file.parent)
        key = _key(result.study, result.preset)
        if file.parent != results / key:
            raise ValueError(f"{file.parent} holds {key}: its place is {results / key}")
        listed[key] = {
            "preset": result.preset,
            "finished": read_json(file)["provenance"]["finished"],
            "sha256": digest(file.parent),
            "outside": [band.name for band, _ in STUDIES[result.study].outside(result)],
        }
    return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Writes the list."""
    text = content(Path(arguments[0]))
    replace(Path(__file__).with_name(FILE), lambda part: part.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
