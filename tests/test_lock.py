"""The lock files say what pyproject.toml and constraints.txt say, and `make` and CI install nothing past them."""

import importlib.metadata
import itertools
import re
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CHAIN = ["datasets", "core", "demo", "dev", "docs", "scale"]  # each contains those before
ALONE = ["torch", "torch-cpu", "oldest", "uv"]
RENEW = "renew the lock files with `make lock`"


def entries(name):
    """The requirements of one file with their digests."""
    text = (FOLDER / f"{name}.lock").read_text(encoding="utf-8")
    parts = re.findall(r"^(?![#-])(\S[^\n]*?)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE)
    assert len(parts) == sum(not line.startswith(("#", "-", " ")) for line in text.splitlines()), name
    return [(Requirement(requirement), re.findall("sha256:([0-9a-f]{64})", digests)) for requirement, digests in parts]


def versions(*names):
    """Name to version in these files."""
    found = {}
    for name in names:
        for requirement, _ in entries(name):
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            found[canonicalize_name(requirement.name)] = Version(specifier.version)
    return found


def locked(purpose):
    """All that is installed for a purpose, torch included."""
    return versions(*CHAIN[: CHAIN.index(purpose) + 1], "torch")


def extras(*names):
    """The requirements of these extras, and of those that they name."""
    for name in names:
        for requirement in map(Requirement, PROJECT["project"]["optional-dependencies"][name]):
            if requirement.name == PROJECT["project"]["name"]:
                yield from extras(*requirement.extras)
            else:
                yield requirement


def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("name", [*CHAIN, *ALONE])
def test_every_entry_has_one_version_and_digests_and_names_no_place(name):
    found = entries(name)
    assert found
    for requirement, digests in found:
        assert requirement.url is None
        assert len(digests) == len(set(digests)) > 0
    assert len({requirement.name for requirement, _ in found}) == len(found)
    text = (FOLDER / f"{name}.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE)


def test_the_files_contain_each_other_and_nothing_stands_twice():
    assert sorted(file.stem for file in FOLDER.glob("*.lock")) == sorted(CHAIN + ALONE)
    seen = set()
    for name in [*CHAIN, "torch"]:
        own = set(versions(name))
        assert not own & seen
        seen |= own
    for smaller, name in itertools.pairwise(CHAIN):
        assert f"-r {smaller}.lock\n" in (FOLDER / f"{name}.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("purpose", "wanted"),
    [
        ("datasets", [Requirement("datasets")]),
        ("core", [Requirement(line) for line in PROJECT["project"]["dependencies"]]),
        ("demo", [*extras("plot"), *map(Requirement, PROJECT["build-system"]["requires"])]),
        ("dev", [*extras("dev")]),
        ("docs", [*extras("dev", "docs", "release")]),
        ("scale", [*extras("dev", "docs", "release", "scale")]),
    ],
    ids=CHAIN,
)
def test_it_holds_what_the_project_asks_for(purpose, wanted):
    found = locked(purpose)
    for requirement in wanted:
        version = found.get(canonicalize_name(requirement.name))
        assert version is not None, f"{purpose}.lock lacks {requirement}; {RENEW}"
        assert requirement.specifier.contains(version), f"{purpose}.lock has {version} for {requirement}; {RENEW}"


def test_it_agrees_with_the_constraints():
    pinned = constraints()
    for name, version in locked(CHAIN[-1]).items():
        assert pinned.get(name, version) == version, (
            f"{name} {version} in the lock, {pinned[name]} in constraints; {RENEW}"
        )
    assert set(pinned) <= set(locked(CHAIN[-1])), f"constraints.txt has what nothing asks for, or {RENEW}"
    direct = [Requirement(line) for line in PROJECT["project"]["dependencies"]] + list(
        extras("dev", "docs", "release", "scale")
    )
    missing = {canonicalize_name(requirement.name) for requirement in direct} - set(pinned)
    assert not missing, f"constraints.txt has no version of {missing}"


@pytest.mark.parametrize("purpose", CHAIN[1:])
def test_nothing_that_is_needed_on_this_machine_is_missing(purpose):
    """By what the installed packages themselves say: installed with --no-deps, each must be there."""
    found = locked(purpose)
    asked = {
        "core": [],
        "demo": ["plot"],
        "dev": ["dev"],
        "docs": ["dev", "docs", "release"],
        "scale": ["dev", "docs", "release", "scale"],
    }[purpose]
    todo = [*map(Requirement, PROJECT["project"]["dependencies"]), *extras(*asked)]
    seen = set()
    while todo:
        requirement = todo.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(key)
        assert key[0] in found, f"{purpose}.lock lacks {requirement}; {RENEW}"
        try:
            needs = importlib.metadata.requires(requirement.name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform's, or not of this environment
        for line in needs:
            need = Requirement(line)
            chosen = [{"extra": extra} for extra in ["", *requirement.extras]]
            if need.marker is None or any(need.marker.evaluate(extra) for extra in chosen):
                need.marker = None
                todo.append(need)
    assert len(seen) > 20


def test_the_cpu_build_of_torch_is_of_the_version_of_the_others():
    (cpu,) = versions("torch-cpu").values()
    assert cpu.local == "cpu"
    assert cpu.public == str(locked("core")["torch"])


def test_the_oldest_libraries_are_those_that_ci_names():
    found = versions("oldest")
    for line in (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.partition("#")[0].strip())
            name = canonicalize_name(requirement.name)
            assert name in found, f"oldest.lock lacks {line}; {RENEW}"
            assert requirement.specifier.contains(found[name]), f"oldest.lock has {found[name]} for {line}; {RENEW}"


@pytest.mark.parametrize(("file", "least"), [("Makefile", 3), (".ci/wheel", 3), (".ci/run", 0)])
def test_nothing_is_installed_without_a_digest(file, least):
    """But for the project itself, built with what is there already."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    text = text.replace("$(LOCKED)", "$(PIP) install --require-hashes --no-deps")
    text = text.replace("LOCKED := ", "# ")
    installs = [line.strip() for line in text.splitlines() if re.search(r"(\bpip|\$\(PIP\)) (.* )?install ", line)]
    assert len(installs) >= least
    for line in installs:
        for command in re.split(r"\|\||&&|;", line):
            if " install " in f"{command} " and not command.lstrip().startswith("#"):
                assert "--no-deps" in command, command
                own = re.search(r"(-e \.|/dist/\*\.whl)$", command.strip())
                assert own or re.search(r'--require-hashes .*-r "?requirements/', command), command
    assert "-m build" not in text or "--no-isolation" in text


def test_a_file_with_another_digest_is_refused(tmp_path):
    """By the options that the Makefile installs with; without an index, from a wheel made here."""
    wheel = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        archive.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.dist-info/RECORD", "")
    (options,) = re.findall(
        r"^LOCKED := \$\(PIP\) (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for digest, accepted in [(sha256(wheel.read_bytes()).hexdigest(), True), ("0" * 64, False), (None, False)]:
        line = "tiny==1" + (f" --hash=sha256:{digest}" if digest else "")
        (tmp_path / "tiny.lock").write_text(line, encoding="utf-8")
        places = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / f"{accepted}")]
        command = [sys.executable, "-m", "pip", *options.split(), *places, "-r", str(tmp_path / "tiny.lock")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is accepted, done.stderr
        assert (tmp_path / f"{accepted}" / "tiny.py").exists() is accepted


def test_the_licence_names_its_owner_and_the_distribution_carries_it_and_the_notice():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "[yyyy]" not in licence
    assert "Copyright 2026 The mnist1d-hf authors" in licence
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "Sam Greydanus" in notice
    assert "Apache License, Version 2.0" in notice
    assert PROJECT["project"]["license-files"] == ["LICENSE", "NOTICE"]
    for line in ("## Report", "## What the package promises"):
        assert line in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
