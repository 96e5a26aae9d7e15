"""Two hundred malformed repositories, of data and of models: the sound content, or an error on one line."""

import logging
import re
import signal
import sys
import time
from collections import Counter
from contextlib import contextmanager

import pytest
import torch
from malformed import Case, data_cases, joined, model_cases
from safetensors.torch import load

from lightning_module import Classifier
from lightning_module.commands import data as data_commands
from lightning_module.model_hub import read_model, weights_digest
from mnist1d_hf.generator.columns import column_digests
from mnist1d_hf.hub import load as pinned
from mnist1d_hf.hub.card import new_card
from mnist1d_hf.hub.parquet import BuiltConfig

LONGEST = 10  # seconds of this process's own time
STUCK = 120  # seconds on a clock, of a machine that may be busy
CONTROL = re.compile(r"[^\n\x20-\x7e\u00a0-\uffff]|[\u202a-\u202e\u2066-\u2069]")
THIN = pytest.mark.parametrize("thin", [True, pytest.param(False, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def sound_data(tmp_path_factory):
    """The files of a folder with two small configs, and the digests of "mine"."""
    root = tmp_path_factory.mktemp("sound")
    built = [
        BuiltConfig.build("default", name=name, version="1.0.0", recipe={"num_samples": 100, "seed": seed})
        for name, seed in (("mine", 1), ("other", 2))
    ]
    infos = {config.name: config.write(root) for config in built}
    records = {config.name: config.record for config in built}
    card = new_card(records, infos, path="somewhere")
    paths = [path for path in root.rglob("*") if path.is_file()]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    return {**files, "README.md": card.encode()}, records["mine"]


@pytest.fixture(scope="module")
def sound_model(tmp_path_factory):
    """The files of a pushed classifier."""
    root = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    classifier = Classifier("cnn")
    classifier.save_pretrained(root)
    record = {
        "path": "mnist1d",
        "config_id": "default",
        "version": "1.0.0",
        "network": "cnn",
        "accuracy": 0.9,
        "test_examples": 1000,
        "steps": 10,
        "epochs": 1,
        "protocol": "Adam",
        "selection": "none",
        "code_version": "0.1.0",
        "sha256": weights_digest(classifier.state_dict()),
    }
    (root / "README.md").write_bytes(joined({"library_name": "mnist1d-hf", "mnist1d": record}))
    return {path.name: path.read_bytes() for path in root.iterdir()}


def write(folder, case):
    for path, content in case.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@contextmanager
def no_longer_than(seconds):
    def late(*_):
        raise RuntimeError(f"longer than {seconds} s")

    limits = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, STUCK)}
    before = {number: signal.signal(number, late) for number in limits}
    for timer, limit in limits.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for number, (timer, _) in limits.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def outcome_of(function, *arguments):
    """ "served" and what, or "refused" and the message; anything else that is raised is a failure of the test."""
    try:
        with no_longer_than(LONGEST):
            return "served", function(*arguments)
    except (ValueError, pinned.UnavailableError) as error:
        return "refused", str(error)


def check_message(case, message):
    assert message, case.name
    assert "\n" not in message, (case.name, message)
    assert not CONTROL.search(message), (case.name, message)


def check_command(case, capsys, status, out, allowed):
    assert status in allowed, (case.name, status, out)
    assert "Traceback" not in out, case.name
    assert not CONTROL.search(out), (case.name, out)
    assert not re.search(r"^ok +forged", out, flags=re.MULTILINE), (case.name, out)


@THIN
def test_malformed_data(sound_data, cache, tmp_path, capsys, caplog, thin):
    files, record = sound_data
    caplog.set_level(logging.WARNING)
    counts, slowest = Counter(), 0.0
    for number, case in enumerate([Case("data: sound", files, other=True), *data_cases(files, thin)]):
        folder = write(tmp_path / str(number), case)
        start = time.monotonic()
        outcome, found = outcome_of(pinned.load, folder, "mine")
        if outcome == "served":
            for split, expected in record.digests.items():
                assert column_digests([found[split].with_format("arrow")[:]]) == expected, case.name
                unverified = "not verified" in caplog.text
                assert unverified or found[split].features == record.features, case.name
                outcome = "served, not verified" if unverified else outcome
        else:
            check_message(case, found)
        with no_longer_than(LONGEST):
            status = data_commands.main(["verify", str(folder)])
        out = "".join(capsys.readouterr())
        check_command(case, capsys, status, out, {0, 1, 2, 3})
        assert (status == 0) <= (outcome == "served"), (case.name, out)
        if case.other:
            assert re.search(r"^ok +other 1\.0\.0 train 80, test 20$", out, flags=re.MULTILINE), (case.name, out)
        check_message(case, " ".join(caplog.messages).replace("\n", " ") or "none")
        caplog.clear()
        counts[outcome] += 1
        slowest = max(slowest, time.monotonic() - start)
    with capsys.disabled():
        sys.stdout.write(f"\n{sum(counts.values())} repositories of data: {dict(counts)}; slowest {slowest:.1f} s\n")
    assert sum(counts.values()) >= 100
    assert counts["served"] < counts["refused"]


@THIN
def test_malformed_models(sound_model, tmp_path, capsys, caplog, thin):
    files = sound_model
    weights = load(files["model.safetensors"])
    counts, slowest = Counter(), 0.0
    for number, case in enumerate([Case("model: sound", files), *model_cases(files, thin)]):
        folder = write(tmp_path / str(number), case)
        start = time.monotonic()
        for function in (Classifier.from_pretrained, read_model):
            outcome, found = outcome_of(function, folder)
            if outcome == "served":
                state = (found if isinstance(found, Classifier) else found.classifier).state_dict()
                assert state.keys() == weights.keys(), case.name
                verified = "not verified" not in caplog.text
                if verified or "weights" not in case.name:
                    assert all(torch.equal(state[name], weights[name]) for name in state), case.name
                outcome = outcome if verified else "served, not verified"
            else:
                check_message(case, found)
            counts[outcome, function.__name__] += 1
        out = "".join(capsys.readouterr())
        assert "PICKLE RAN" not in out
        caplog.clear()
        slowest = max(slowest, time.monotonic() - start)
    with capsys.disabled():
        sys.stdout.write(f"\n{number + 1} repositories of models: {dict(counts)}; slowest {slowest:.1f} s\n")
    assert number >= 100
