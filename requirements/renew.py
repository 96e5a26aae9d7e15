"""The lock files of this folder, made anew: every package that make and CI install, with all its files' digests.

    make lock            # what pyproject.toml and constraints.txt say now, everything else as it was
    make lock UPGRADE=1  # the newest of what constraints.txt leaves open

One resolution for all platforms and Python versions is cut into files that contain each other, so that a package is
written once: datasets < core < demo < dev < docs < scale. Apart from them: torch, with what it needs on Linux; oldest,
the oldest supported libraries; uv, the program that resolves. torch-cpu.lock is kept by hand, because the public index
does not have this build, and installed instead of torch.lock where pip finds it. Files name no index: the digests say
what a package is, wherever it comes from.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
CHAIN = ("datasets", "core", "demo", "dev", "docs", "scale")
UV = "uv==0.13.9"
TORCH = re.compile(r"torch|(nvidia|cuda)-.*|triton")  # the latter are gigabytes, which a CPU build does not ask for

Packages = dict[str, str]  # "name==version" to its whole entry: markers and digests, as pip reads it


def main() -> None:
    """Writes all files anew."""
    parser = argparse.ArgumentParser(description="Renew the lock files.")
    parser.add_argument("--upgrade", action="store_true", help="forget the versions of the present files")
    constraints = lines(ROOT / "constraints.txt")
    if not parser.parse_args().upgrade:
        constraints += left_open(constraints)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = [*project["build-system"]["requires"], "editables"]  # the latter: for pip install -e
    found = {
        "datasets": resolved(["datasets"], constraints),
        "core": resolved([], constraints, project=""),
        "demo": resolved(build, constraints, project="plot"),
        "dev": resolved(build, constraints, project="dev"),
        "docs": resolved(build, constraints, project="dev docs release", python="3.11.5"),  # soupsieve's
        "scale": resolved(build, constraints, project="dev docs release scale", python="3.11.5"),
    }
    whole = found[CHAIN[-1]]
    torch = [pin for pin in whole if TORCH.fullmatch(pin.partition("==")[0])]
    if not any(cpu.startswith(f"{pin}+") for cpu in pins([HERE / "torch-cpu.lock"]) for pin in torch):
        raise SystemExit("torch-cpu.lock has another version of torch; renew it by hand, with the digest of that build")
    written = set(torch)
    for smaller, name in zip((None, *CHAIN), CHAIN, strict=False):
        own = [pin for pin in found[name] if pin not in written]
        if unknown := [pin for pin in own if pin not in whole]:
            raise SystemExit(f"{name} and {CHAIN[-1]} need different versions of {unknown}; pin one in constraints.txt")
        write(name, (whole[pin] for pin in own), after=smaller)
        written |= set(own)
    write("torch", (whole[pin] for pin in torch))
    write("oldest", resolved(lines(ROOT / ".ci" / "oldest.txt"), []).values())
    write("uv", resolved([UV], []).values())


def resolved(
    requirements: Iterable[str], constraints: Iterable[str], project: str | None = None, python: str = "3.11"
) -> Packages:
    """Returns all that these requirements need from a Python on; with ``project`` what it needs with these extras."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted, bounds = Path(scratch, "wanted.in"), Path(scratch, "bounds.txt")
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        bounds.write_text("\n".join(dict.fromkeys(constraints)), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", str(wanted), "-c", str(bounds)]
        if project is not None:
            command += [
                str(ROOT / "pyproject.toml"),
                *(word for extra in project.split() for word in ("--extra", extra)),
            ]
        command += ["--universal", "--python-version", python, "--generate-hashes", "--quiet"]
        command += ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
    if done.returncode:
        raise SystemExit(f"no versions fit together:\n{done.stderr}")
    return entries(done.stdout)


def entries(text: str) -> Packages:
    """Returns the entries of a requirements file with digests: a package's line and the indented ones below it."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith(("#", "-r")))
    parts = [part for part in re.split(r"\n(?=\S)", plain.strip()) if part]
    return {re.split(r"[ ;\\]", part, maxsplit=1)[0]: part for part in parts}


def write(name: str, packages: Iterable[str], after: str | None = None) -> None:
    """Writes one file, which begins with the one that it contains."""
    head = "# Made by `make lock`.\n" + (f"-r {after}.lock\n" if after else "")
    (HERE / f"{name}.lock").write_text(head + "\n".join(packages) + "\n", encoding="utf-8")


def pins(files: Iterable[Path]) -> list[str]:
    """Returns the versions that these files have."""
    return [pin for file in files for pin in entries(file.read_text(encoding="utf-8"))]


def left_open(constraints: Iterable[str]) -> list[str]:
    """Returns the versions that the present files have of packages that the constraints say nothing of."""
    said = {normalised(line.partition("==")[0]) for line in constraints}
    present = pins(HERE / f"{name}.lock" for name in (*CHAIN, "torch") if (HERE / f"{name}.lock").exists())
    return [pin for pin in present if normalised(pin.partition("==")[0]) not in said]


def lines(file: Path) -> list[str]:
    """Returns the lines of a file without comments."""
    stripped = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in stripped if line]


def normalised(name: str) -> str:
    """Returns a package's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
