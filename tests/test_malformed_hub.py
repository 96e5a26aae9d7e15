"""Malformed repositories on a stand-in Hub, and a Hub that answers nonsense: one line, and nothing is written."""

import json
import re

import pytest
from hub_server import Reply
from malformed import ESCAPE, data_cases, model_cases
from test_malformed import CONTROL, sound_data, sound_model  # noqa: F401  # fixtures

VERIFY = "lightning_module.commands.data:main"
MODEL = "lightning_module.commands.model:main"
LONGEST = 60  # seconds, of a machine that may be busy


def check(name, answer, allowed):
    assert answer["ok"], (name, answer.get("traceback"))
    assert answer["value"] in allowed, (name, answer["output"])
    assert "Traceback" not in answer["output"], (name, answer["output"])
    assert not CONTROL.search(answer["output"].replace("\r", "")), (name, answer["output"])
    assert answer["seconds"] < LONGEST, name
    return answer["output"]


def test_malformed_data_on_a_hub(server, client, sound_data):  # noqa: F811
    files, _ = sound_data
    server.put("owner/sound", files)
    assert "2 ok, 0 damaged" in check("sound", client.call(VERIFY, ["verify", "owner/sound"]), {0})
    cases = [*data_cases(files)][::9]
    for number, case in enumerate(cases):
        server.put(f"owner/data-{number}", case.files)
    answers = client.calls([(VERIFY, [["verify", f"owner/data-{number}"]], {}) for number in range(len(cases))])
    for case, answer in zip(cases, answers, strict=True):
        out = check(case.name, answer, {0, 1, 2, 3})
        if case.other:
            assert re.search(r"^ok +other", out, flags=re.MULTILINE), (case.name, out)


def test_malformed_models_on_a_hub_write_nothing(server, client, sound_model, tmp_path):  # noqa: F811
    server.put("owner/sound", sound_model, "model")
    check("sound", client.call(MODEL, ["pull", "owner/sound", str(tmp_path / "sound")]), {0})
    assert {path.name for path in (tmp_path / "sound").iterdir()} == {"README.md", "config.json", "model.safetensors"}
    cases = [*model_cases(sound_model)][::9]
    for number, case in enumerate(cases):
        server.put(f"owner/model-{number}", case.files, "model")
    target = tmp_path / "new" / "folder"
    wanted = [(MODEL, [["pull", f"owner/model-{number}", str(target)]], {}) for number in range(len(cases))]
    for case, answer in zip(cases, client.calls(wanted), strict=True):
        check(case.name, answer, {2})
    assert not target.parent.exists()


def rewritten(**changes):
    """A reply of the endpoint `info` with some entries changed."""

    def rewrite(reply):
        return Reply.json({**json.loads(reply.body), **changes}, reply.status)

    return rewrite


NONSENSE = {
    "no JSON": lambda reply: Reply(200, b"\x1b[2K<html>", {"Content-Type": "application/json"}),
    "a list": lambda reply: Reply.json([1]),
    "a text": lambda reply: Reply.json(ESCAPE),
    "null": lambda reply: Reply.json(None),
    "no commit": rewritten(sha=None),
    "a path for a commit": rewritten(sha="../../../etc"),
    "an escape sequence for a commit": rewritten(sha=ESCAPE),
    "files of null": rewritten(siblings=None),
    "files of texts": rewritten(siblings=["README.md"]),
    "files of numbers": rewritten(siblings=[{"rfilename": 7}]),
    "files outside": rewritten(siblings=[{"rfilename": "../../outside"}, {"rfilename": "/etc/passwd"}]),
    "files that are not there": rewritten(siblings=[{"rfilename": f"{ESCAPE}.csv"}, {"rfilename": "README.md"}]),
    "dates of numbers": rewritten(lastModified=7, createdAt=ESCAPE),
    "an error with an escape sequence": lambda reply: Reply.json(
        {"error": ESCAPE}, 403, **{"X-Error-Message": "\x1b[2K"}
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_hub_that_answers_nonsense(server, client, repo_id, sound_data, sound_model, tmp_path, name):  # noqa: F811
    server.put(repo_id, sound_data[0])
    server.put(repo_id, sound_model, "model")
    server.rewrite = {"info": NONSENSE[name]}
    answers = client.calls(
        [(VERIFY, [["verify", repo_id]], {}), (MODEL, [["pull", repo_id, str(tmp_path / "new" / "folder")]], {})]
    )
    for answer in answers:
        check(name, answer, {0, 2} if name == "dates of numbers" else {1, 2, 3})
    assert (tmp_path / "new").exists() <= (name == "dates of numbers")


def test_others_data_that_lists_a_file_outside_is_refused(server, client, repo_id):
    server.put(repo_id, {"data.csv": b"a\n1\n", "../../outside.csv": b"a\n1\n"})
    answer = client.load(repo_id)
    assert answer["error"] == "ContentError", answer
    assert "no path inside" in answer["message"]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../*.csv", "https://example.com/a.csv", "zip://*::x.zip", "~/a.csv"]
)
def test_a_card_that_names_files_elsewhere_is_refused(server, client, repo_id, path):
    card = f"---\nconfigs:\n- config_name: default\n  data_files: '{path}'\n---\n"
    server.put(repo_id, {"README.md": card.encode(), "data.csv": b"a\n1\n"})
    answer = client.load(repo_id)
    assert answer["error"] == "ContentError", answer
    assert "is not allowed there" in answer["message"]


def test_what_is_larger_than_it_may_be_is_not_downloaded(server, client, repo_id, sound_data, sound_model, tmp_path):  # noqa: F811
    server.put(repo_id, {**sound_data[0], "README.md": bytes(3_000_000)})
    server.put(repo_id, {**sound_model, "config.json": bytes(300_000)}, "model")
    big = f"{repo_id}-big"
    server.put(big, {**sound_model, "model.safetensors": bytes(101_000_000)}, "model")
    for command, arguments in (
        (VERIFY, ["verify", repo_id]),
        (MODEL, ["pull", repo_id, str(tmp_path / "a")]),
        (MODEL, ["pull", big, str(tmp_path / "a")]),
    ):
        out = check(arguments[1], client.call(command, arguments), {2})
        assert re.search(r"bytes, and may have [\d,]+ at most", out), out
    assert not list((tmp_path / "a").parent.glob("a*"))


def test_a_push_repeats_no_escape_sequence_of_a_repository(server, client, repo_id):
    name = "\x1b[2K\x1b[1Gcomplete.csv"
    server.put(repo_id, {name: b"a\n1\n"})
    answer = client.call(VERIFY, ["push", repo_id, "--config", "train-1k"])
    assert "\\x1b[2K" in check("push", answer, {2})
    assert client.push(repo_id, ["train-1k"])["error"] == "RefusedError"
    assert "\x1b" not in client.push(repo_id, ["train-1k"])["message"]
