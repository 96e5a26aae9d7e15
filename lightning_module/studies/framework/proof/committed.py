"""The results that were committed with this package: a digest of each one's `result.json`, by which it is known.

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
from lightning_module.studies.framework.result import Result
from mnist1d_hf.atomic import replace
from mnist1d_hf.stored import file_digest

FILE: Final = "committed.json"


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
    known = committed().get(result.study)
    if known is None or known.preset != result.preset:
        return "is another"
    if digest(folder) == known.sha256:
        return "is"
    return "claims to be" if result.provenance.get("finished") == known.finished else "is another"


@cache
def committed() -> dict[str, Committed]:
    """Returns the committed result of each packaged study."""
    text = files("lightning_module.studies.framework.proof").joinpath(FILE).read_text(encoding="utf-8")
    return {
        name: Committed(each["preset"], each["finished"], each["sha256"], tuple(each["outside"]))
        for name, each in json.loads(text).items()
    }


def digest(folder: Path) -> str:
    """Returns the digest of a folder's `result.json`."""
    return file_digest(folder / "result.json")


def content(results: Path) -> str:
    """Returns the list of all results in the folders of a folder."""
    from lightning_module.studies import STUDIES

    listed = {}
    for file in sorted(results.glob("*/result.json")):
        result = Result.load(file.parent)
        listed[result.study] = {
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
