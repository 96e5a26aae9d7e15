"""What GitHub would run: it cannot be run here, but everything that it names can be looked for."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
READ_ONLY = {"contents": "read"}

Tree = dict[Any, Any]


def loaded(file: Path) -> Tree:
    tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(tree, dict)
    return tree


def steps(workflow: Tree) -> list[Tree]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_are_tests_docs_and_a_release() -> None:
    assert [file.stem for file in WORKFLOWS] == ["docs", "release", "tests"]


def test_every_action_is_one_commit_with_its_version_beside_it(file: Path) -> None:
    named = re.findall(r"uses:\s*(.*)", file.read_text(encoding="utf-8"))
    assert len(named) == sum("uses" in step for step in steps(loaded(file)))
    for name in named:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name), name


def test_an_action_has_the_same_commit_everywhere() -> None:
    commits: dict[str, str] = {}
    for step in (step for file in WORKFLOWS for step in steps(loaded(file)) if "uses" in step):
        name, commit = step["uses"].split("@")
        assert commits.setdefault(name, commit) == commit


def test_nothing_is_allowed_but_reading_and_no_secret_is_used(file: Path) -> None:
    workflow = loaded(file)
    assert workflow["permissions"] == READ_ONLY
    own = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert own == ({"publish": {"id-token": "write"}} if file.stem == "release" else {})
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"secrets\.|password:|token:(?! write)|pull_request_target", text)
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # What somebody can choose from outside, such as a branch's name, is in no command.
        assert not re.search(r"\$\{\{\s*(github|inputs)\b", step.get("run", ""))


def test_every_job_ends_some_time(file: Path) -> None:
    assert all(0 < job["timeout-minutes"] <= 90 for job in loaded(file)["jobs"].values())


def test_commands_are_there(file: Path) -> None:
    for command in (step["run"] for step in steps(loaded(file)) if "run" in step):
        assert set(re.findall(r"\bmake ([\w-]+)", command)) <= TARGETS
        for path in re.findall(r"(?:^| )((?:\.ci|requirements|mnist1d_hf)/[\w./]+|constraints\.txt)", command):
            assert (ROOT / path).is_file(), path
        for extra in re.findall(r"\"\.\[(\w+)\]\"", command):
            assert extra in project()["optional-dependencies"]
        for version in re.findall(r"\buv==(\S+)", command):
            assert f"uv=={version} " in (ROOT / "requirements" / "uv.lock").read_text(encoding="utf-8")


def project() -> Tree:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]  # type: ignore[no-any-return]


def test_all_python_versions_are_tested_from_the_oldest_that_is_allowed() -> None:
    jobs = loaded(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]
    matrix = jobs["linux"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["versions"] == ["newest"]
    assert matrix["include"] == [{"python": "3.11", "versions": "minimum"}]
    assert project()["requires-python"] == f">={matrix['python'][0]}"
    assert jobs["other-systems"]["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]


def test_a_release_is_of_a_tag_built_checked_and_only_then_published() -> None:
    workflow = loaded(ROOT / ".github" / "workflows" / "release.yml")
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true
    commands = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]
    assert commands.index("python -m build") < commands.index("python -m twine check --strict dist/*")
    publish = workflow["jobs"]["publish"]
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert not any("run" in step or ("with" in step and "password" in step["with"]) for step in publish["steps"])
    # The command that compares the tag with the version finds it.
    version = re.search(
        r'^__version__ = "(.*)"$', (ROOT / "mnist1d_hf" / "__init__.py").read_text("utf-8"), re.MULTILINE
    )
    assert version


def test_what_was_not_run_is_said(file: Path) -> None:
    assert re.search(r"(file has not been|nor has this file been|file has not been) run by GitHub", head(file))


def head(file: Path) -> str:
    """Returns the comment that a file begins with, as one line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    comment = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    return " ".join(line.removeprefix("#").strip() for line in comment)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_forms_for_issues_are_as_github_wants_them(form: Path) -> None:
    tree = loaded(form)
    if form.stem == "config":
        assert tree == {"blank_issues_enabled": True}
        return
    assert tree.keys() == {"name", "description", "labels", "body"}
    assert len({field["id"] for field in tree["body"]}) == len(tree["body"])
    for field in tree["body"]:
        assert field["type"] in ("input", "textarea")
        assert field["attributes"]["label"]


# What CONTRIBUTING.md tells people to do.


def test_contributing_names_what_is_there() -> None:
    inline = [child for token in MarkdownIt().parse(CONTRIBUTING) for child in token.children or ()]
    links = [str(token.attrGet("href")) for token in inline if token.type == "link_open"]
    assert all((ROOT / link).exists() for link in links)
    assert set(re.findall(r"\bmake ([a-z-]+)`|^make ([a-z-]+)$", CONTRIBUTING, re.MULTILINE)) <= {
        pair for target in TARGETS for pair in ((target, ""), ("", target))
    }
    for path in re.findall(r"\b(?:tests|docs)/[\w/]+\.(?:py|md)", CONTRIBUTING):
        assert (ROOT / path).is_file(), path
    template = (ROOT / ".github" / "pull_request_template.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([\w-]+)`", template)) <= TARGETS


def test_a_config_is_added_where_contributing_says() -> None:
    from mnist1d_hf import mnist1d
    from mnist1d_hf.generator import recipe

    (entry,) = re.findall(r"^ *(\"quiet\": NamedRecipe.*)$", CONTRIBUTING, re.MULTILINE)
    names = {"NamedRecipe": recipe.NamedRecipe, "Recipe": recipe.Recipe}
    added = eval(f"{{{entry}}}", names)  # noqa: S307  # text of this repository
    assert isinstance(added["quiet"], type(recipe.RECIPES["default"]))
    assert "quiet" not in recipe.RECIPES
    major, minor, patch = map(int, mnist1d.DATA_VERSION.split("."))
    assert f"{major}.{minor}.{patch}" in mnist1d.DATA_HISTORY
    card = re.search(r"^card:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert card
    for what in ("golden", "renew --missing", "hub.card dataset_card.md", "config_list.py"):
        assert what in card[1]


def test_a_network_is_added_where_contributing_says() -> None:
    import inspect

    from lightning_module import networks

    source = inspect.getsource(networks)
    assert source.count("@register_network") >= 4
    assert "shape `(batch, length)`" in CONTRIBUTING


def test_a_study_is_written_with_the_files_that_contributing_names(tmp_path: Path) -> None:
    import inspect

    from lightning_module.commands.study.inspection import report
    from lightning_module.studies.framework.listing.new_study import write_study

    written = write_study(tmp_path / "my_study")
    part = CONTRIBUTING.split("## Add a study")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+\.(?:py|md))`", part))
    assert named == {"claims.py", "study.py", "figures.py", "protocol.md"} <= {file.name for file in written}
    assert "studies" in inspect.signature(report).parameters
    presets = set(re.findall(r"`(smoke|quick|paper)`", part))
    assert presets == {"smoke", "quick", "paper"}
    shutil.rmtree(tmp_path / "my_study")
