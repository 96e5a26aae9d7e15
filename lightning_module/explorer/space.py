"""The explorer as a folder that is a Space: the page, its requirements, and this package as a wheel beside them."""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from zipfile import ZIP_DEFLATED, ZipFile

from mnist1d_hf.staged_folder import staged_folder

DISTRIBUTION: Final = "mnist1d-hf"
TEMPLATES: Final = ("app.py", "README.md", "Dockerfile")
EXTRA: Final = "explorer"


def export(folder: Path) -> list[Path]:
    """Writes the folder; returns its files. All is written beside it and moved into place at the end.

    Args:
        folder: Where to; must not exist, or be empty.

    Raises:
        ValueError: If there is something in the folder, or the package cannot be made a wheel.
    """
    target = folder.expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"export={str(folder)!r} exists and is not empty; name another folder")
    with staged_folder(target) as staging:
        wheel = package(staging)
        here = files("lightning_module.explorer").joinpath("space_files")
        for name in TEMPLATES:
            (staging / name).write_text(here.joinpath(f"{name}.txt").read_text(encoding="utf-8"), encoding="utf-8")
        (staging / "requirements.txt").write_text(f"./{wheel.name}[{EXTRA}]\n", encoding="utf-8")
    return sorted(path for path in target.rglob("*") if path.is_file())


def package(folder: Path) -> Path:
    """Writes this package as a wheel: built from its sources if it is used from there, else from what is installed.

    Args:
        folder: Where to.

    Raises:
        ValueError: If it cannot be built.
    """
    installed = metadata.distribution(DISTRIBUTION)
    source = json.loads(installed.read_text("direct_url.json") or "{}")
    if source.get("dir_info", {}).get("editable"):
        return _built(Path(unquote(urlsplit(source["url"]).path)), folder)
    return _repacked(installed, folder)


def _built(source: Path, folder: Path) -> Path:
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", scratch, str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        made = list(Path(scratch).glob("*.whl"))
        if done.returncode or not made:
            said = (done.stderr.strip() or "pip made no wheel").splitlines()[-1]
            raise ValueError(f"the package at {source} could not be made a wheel ({said}); pip install hatchling")
        return Path(shutil.move(made[0], folder / made[0].name))


def _repacked(installed: metadata.Distribution, folder: Path) -> Path:
    """Returns a wheel of the files that pip wrote for this package; those that pip added itself stay out."""
    tag = next(line.split(": ")[1] for line in (installed.read_text("WHEEL") or "").splitlines() if "Tag: " in line)
    wheel = folder / f"{DISTRIBUTION.replace('-', '_')}-{installed.version}-{tag}.whl"
    left_out = {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"}
    record = []
    with ZipFile(wheel, "w", ZIP_DEFLATED) as archive:
        for file in sorted(installed.files or [], key=str):
            if file.name in left_out or ".." in file.parts or "__pycache__" in file.parts:
                continue
            archive.writestr(str(file), file.read_binary())
            record.append(f"{file},sha256={file.hash.value},{file.size}" if file.hash else f"{file},,")
        name = f"{DISTRIBUTION.replace('-', '_')}-{installed.version}.dist-info/RECORD"
        archive.writestr(name, "\n".join([*record, f"{name},,"]) + "\n")
    return wheel
