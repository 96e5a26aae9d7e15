"""Verification with three answers, at every entrance: nothing to compare is never ok."""

import re

import pytest
import yaml

from lightning_module.commands.data import main
from mnist1d_hf import DATA_VERSION
from mnist1d_hf.cache.builds import cached_builds, install
from mnist1d_hf.hub import verification
from mnist1d_hf.hub.export import export
from mnist1d_hf.hub.load import ContentError, IncompleteError, load
from mnist1d_hf.hub.schema import checked
from mnist1d_hf.hub.verification import Answer, exit_status, summary, verify
from mnist1d_hf.manifest import MANIFEST
from mnist1d_hf.one_line import one_line

MAIN = "lightning_module.commands.data:main"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "data"
    export(folder, ["train-1k", "train-2k"])
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(exported, tmp_path, cache):
    """A folder of two configs, to be changed."""
    for name, content in exported.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


def change_header(folder, change):
    _, header, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    data = yaml.safe_load(header)
    change(data)
    dumped = yaml.safe_dump(data, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{dumped}---\n{text}", encoding="utf-8")


def states(folder, *arguments, **keywords):
    return {answer.name: answer.state for answer in verify(folder, *arguments, **keywords)}


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_all_ok(folder, capsys):
    assert states(folder) == {"train-1k": "ok", "train-2k": "ok"}
    status, out = run(capsys, "verify", folder)
    assert status == 0
    assert "2 ok, 0 damaged, 0 not verified" in out


def lacking(data):
    del data["mnist1d"][0]["digests"]["train"]


def without_a_column(data):
    del data["mnist1d"][0]["digests"]["test"]["y"]


def without_digests(data):
    del data["mnist1d"][0]["digests"]


def without_sizes(data):
    del data["mnist1d"][0]["examples"]


@pytest.mark.parametrize("change", [lacking, without_a_column, without_digests, without_sizes])
def test_an_incomplete_record_is_not_verified_and_not_served(folder, capsys, change):
    change_header(folder, change)
    assert states(folder) == {"train-1k": "not verified", "train-2k": "ok"}
    with pytest.raises(IncompleteError, match="cannot be verified, and is not served"):
        load(folder, "train-1k")
    assert run(capsys, "verify", folder)[0] == 3
    assert run(capsys, "verify", folder, "--config", "train-2k")[0] == 0


def test_somebody_elses_config_is_not_verified_and_served_with_a_word(folder, capsys, caplog):
    def change(data):
        data["mnist1d"].pop(0)

    change_header(folder, change)
    assert states(folder) == {"train-1k": "not verified", "train-2k": "ok"}
    for _ in range(2):
        assert len(load(folder, "train-1k")["train"]) == 1000
    assert len([message for message in caplog.messages if "not verified" in message]) == 1
    status, out = run(capsys, "verify", folder)
    assert status == 3
    assert "1 ok, 0 damaged, 1 not verified" in out


def test_damage_counts_more_than_what_is_not_verified(folder, capsys):
    def change(data):
        data["mnist1d"].pop(0)

    change_header(folder, change)
    path = next((folder / "train-2k").glob("train-*"))
    path.write_bytes(path.read_bytes()[:-100])
    assert states(folder) == {"train-1k": "not verified", "train-2k": "damaged"}
    status, out = run(capsys, "verify", folder)
    assert status == 1
    assert "0 ok, 1 damaged, 1 not verified" in out


def test_one_odd_config_does_not_end_it_for_the_others(folder):
    def change(data):
        data["mnist1d"][0]["recipe"] = {"seed": float("nan")}

    change_header(folder, change)
    assert states(folder) == {"train-1k": "damaged", "train-2k": "ok"}
    assert len(load(folder, "train-2k", split="train")) == 2000


def test_a_folder_of_nothing_has_not_passed(tmp_path, cache, capsys):
    assert run(capsys, "verify", tmp_path)[0] == 3
    (tmp_path / "README.md").write_text("# Nothing\n", encoding="utf-8")
    status, out = run(capsys, "verify", tmp_path)
    assert status == 3
    assert "names no configs and records no digests" in out


def test_another_version_than_the_folders_is_not_verified(folder, capsys):
    assert set(states(folder, revision="9.9.9").values()) == {"not verified"}
    assert set(states(folder, revision=DATA_VERSION).values()) == {"ok"}
    status, out = run(capsys, "verify", folder, "--config", "train-3k")
    assert status == 2
    assert "did you mean" in out


def test_files_that_differ_from_their_record_are_damaged_even_if_they_load(folder):
    def change(data):
        data["configs"][0]["description"] = "mine"
        data["dataset_info"][0]["splits"][0]["num_examples"] = 7

    change_header(folder, change)
    answers = {answer.name: answer for answer in verify(folder)}
    assert answers["train-1k"].state == "damaged"
    assert "other numbers of examples" in answers["train-1k"].about
    assert answers["train-2k"].state == "ok"


def test_a_file_with_other_bytes_than_its_digest_is_refused(folder):
    def change(data):
        data["mnist1d"][0]["files"] = [
            {"path": path.relative_to(folder).as_posix(), "sha256": "f" * 64} for path in folder.glob("train-1k/*")
        ]

    change_header(folder, change)
    with pytest.raises(ContentError, match="is another file than the one that its record tells of"):
        load(folder, "train-1k")


# The cache


def test_the_cache_has_three_answers_too(cache, capsys):
    assert run(capsys, "verify")[0] == 3
    install(["train-1k", "default"])
    assert run(capsys, "verify")[0] == 0
    builds = {build.config_id: build for build in cached_builds()}
    manifest = builds["train-1k"].folder / MANIFEST
    content = manifest.read_text(encoding="utf-8")
    manifest.write_text(re.sub(r'"digests": \{.*\}', '"digests": {}', content, flags=re.DOTALL), encoding="utf-8")
    status, out = run(capsys, "verify")
    assert status in {1, 3}
    assert re.search(r"^(DAMAGED|not verified) +train-1k", out, flags=re.MULTILINE)
    assert re.search(r"^ok +default", out, flags=re.MULTILINE)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b'{"digests": 7}', b"\xff"])
def test_a_manifest_that_cannot_be_read_ends_nothing(cache, capsys, content):
    install(["train-1k", "default"])
    builds = {build.config_id: build for build in cached_builds()}
    (builds["train-1k"].folder / MANIFEST).write_bytes(content)
    status, out = run(capsys, "verify")
    assert status == 1
    assert "1 ok, 1 damaged" in out


def test_a_truncated_arrow_file_of_the_right_size_ends_nothing(cache, capsys):
    install(["train-1k", "default"])
    builds = {build.config_id: build for build in cached_builds()}
    path = next(builds["train-1k"].folder.glob("*train*.arrow"))
    path.write_bytes(bytes(path.stat().st_size))
    status, out = run(capsys, "verify")
    assert status == 1
    assert "1 ok, 1 damaged" in out


def test_the_answers_and_their_exit_status():
    ok, damaged, unknown = (Answer("a", state, "") for state in verification.STATES)
    assert [exit_status(each) for each in ([ok], [ok, damaged], [ok, unknown], [damaged, unknown], [], [ok, ok])] == [
        0,
        1,
        3,
        1,
        3,
        0,
    ]
    assert summary([ok, damaged, ok, unknown]) == "2 ok, 1 damaged, 1 not verified"


# Repositories


def test_a_repository_is_verified_at_its_revision(server, client, repo_id):
    assert client.push(repo_id, [], new_config="mine", recipe={"seed": 1, "num_samples": 500}, tag="v1")["ok"]
    answer = client.call(MAIN, ["verify", repo_id, "--revision", "v1"])
    assert (answer["value"], "1 ok, 0 damaged, 0 not verified" in answer["output"]) == (0, True)
    path = "mine/train-00000-of-00001.parquet"
    server.put(repo_id, {path: server.file(repo_id, path)[:-50]})
    assert client.call(MAIN, ["verify", repo_id])["value"] == 1
    assert client.call(MAIN, ["verify", repo_id, "--revision", "v1"])["value"] == 0


def test_what_datasets_own_push_overwrites_is_damaged(server, client, repo_id):
    assert client.push(repo_id, [], new_config="mine", recipe={"seed": 1, "num_samples": 500})["ok"]
    code = (
        "import datasets, mnist1d_hf\n"
        "rows = datasets.load_dataset('mnist1d', 'default', seed=7, num_samples=500)\n"
        f"rows.push_to_hub({repo_id!r}, 'mine')"
    )
    assert client.call("builtins:exec", code)["ok"]
    answer = client.call(MAIN, ["verify", repo_id])
    assert (answer["value"], "0 ok, 1 damaged" in answer["output"]) == (1, True), answer["output"]
    assert client.load(repo_id, "mine")["error"] == "ContentError"


def test_a_repository_without_a_card_is_served_and_not_verified(server, start_client, repo_id, tmp_path):
    server.put(repo_id, {"data.csv": b"a\n1\n2\n"})
    reader = start_client(home=tmp_path / "home")
    answer = reader.load(repo_id)
    assert answer["value"]["train"]["rows"] == 2
    assert "not verified" in answer["output"]
    assert reader.call(MAIN, ["verify", repo_id])["value"] == 3
    server.stop()
    assert reader.load(repo_id)["value"]["train"]["rows"] == 2


# Text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ümlauts and 数", "plain, with ümlauts and 数"),
        ("a\x1b[2Kb\x07", r"a\x1b[2Kb\x07"),
        ("a\nb\r\n\tc", "a b c"),
        ("\u202eabc\u2066\u200b", r"\u202eabc\u2066\u200b"),
        ("\x85\x9b1m", r"\x85\x9b1m"),
        ("\ud800", r"\ud800"),
        (" indented ", " indented"),
    ],
)
def test_text_from_elsewhere_is_one_line_that_a_terminal_does_not_obey(text, shown):
    assert one_line(text) == shown
    assert one_line(text).isprintable()


def test_long_text_is_cut():
    assert one_line("ab" * 10_000, 20) == "ababababababababa..."


def test_a_message_repeats_no_long_or_strange_value():
    with pytest.raises(ContentError) as error:
        checked({"a": "\x1b" * 10_000}, {"properties": {"a": {"type": "integer"}}}, "it")
    assert len(str(error.value)) < 300
    assert str(error.value).isprintable()
