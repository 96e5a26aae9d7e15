"""Ctrl-C at every command: status 130, one line that says what is kept and how to go on, and all of that at once.

Studies with workers are in tests/lightning_module/studies/framework/running/test_stopping.py.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from fits import same_weights

import lightning_module
from lightning_module import Classifier
from lightning_module.cli import EARLY, main
from lightning_module.commands import data, demo, model, quiz, study
from lightning_module.commands.group import STOPPED, run_command
from lightning_module.stopping import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
GROUPS = {"data": data.GROUP, "model": model.GROUP, "study": study.GROUP}
COMMANDS = [(group, command) for group, made in GROUPS.items() for command in made.commands]
MOST = 2.0  # seconds from Ctrl-C to the end
QUIET = ["--trainer.enable_progress_bar=false", "--trainer.accelerator=cpu"]


def interrupt(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def interrupt_when(condition):
    """Presses Ctrl-C as soon as a condition holds; returns the thread, and a list that gets the time of it."""
    pressed = []

    def wait():
        until = time.monotonic() + 120
        while not condition() and time.monotonic() < until:
            time.sleep(0.005)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread, pressed


@pytest.mark.parametrize(("group", "command"), COMMANDS)
def test_every_command_of_a_group_ends_with_its_line(group, command, monkeypatch, capsys):
    made = GROUPS[group]
    monkeypatch.setattr("lightning_module.commands.group._call", interrupt)
    parser = made.parsers()[command]
    needed = ["x" for each in parser._actions if not each.option_strings and each.nargs is None]
    start = time.monotonic()
    assert main([group, command, *needed]) == 130
    assert time.monotonic() - start < MOST
    (line,) = capsys.readouterr().err.splitlines()
    assert line == made.stopped.get(command, STOPPED)
    assert line.startswith("stopped; ")
    assert len(line) < 120


def test_every_sentence_is_of_a_command_that_there_is():
    for made in GROUPS.values():
        assert made.stopped.keys() <= made.commands.keys()


def test_a_library_that_takes_the_interruption_for_its_own_is_no_success(capsys):
    def swallowed():
        try:
            interrupt()
        except KeyboardInterrupt:
            return 0

    assert run_command(swallowed, data.GROUP.parser) == 130
    assert capsys.readouterr().err == f"{STOPPED}\n"


def test_a_demonstration(capsys, monkeypatch):
    monkeypatch.setattr(demo.LearningCurve, "on_validation_epoch_end", interrupt)
    assert main(["demo", "--steps", "24", "--network", "logistic"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == STOPPED


def test_a_quiz(capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", interrupt)
    assert main(["quiz", "--number", "10", "--seed", "1"]) == 130
    assert capsys.readouterr().err == f"{quiz.STOPPED}\n"


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_an_evaluation(command, capsys, monkeypatch):
    monkeypatch.setattr(Classifier, "forward", interrupt)
    assert main([command, "--config", "logistic", *QUIET, "--trainer.logger=false"]) == 130
    assert capsys.readouterr().err == f"{STOPPED}\n"


def test_a_fit_keeps_its_last_state_from_which_it_goes_on(tmp_path, capsys):
    command = ["fit", "--config", "mlp", "--trainer.val_check_interval=20", "--trainer.logger=false", *QUIET]
    path = tmp_path / "checkpoints/last.ckpt"
    thread, pressed = interrupt_when(path.exists)
    status = main([*command, "--trainer.max_steps=1000000"])
    took = time.monotonic() - pressed[0]
    thread.join()
    assert status == 130
    assert took < max(MOST, PATIENCE + 0.4)
    (line,) = capsys.readouterr().err.splitlines()
    step = int(
        re.match(r"stopped at step ([\d,]+); kept: checkpoints/last.ckpt; to go on, add ", line)[1].replace(",", "")
    )
    assert line.endswith(" --ckpt_path checkpoints/last.ckpt")
    assert torch.load(path, weights_only=True)["global_step"] == step
    # What was interrupted and goes on ends where an uninterrupted training does.
    more = f"--trainer.max_steps={step + 30}"
    resumed = [*command, more, "--ckpt_path", "checkpoints/last.ckpt", "--trainer.default_root_dir=resumed"]
    assert main(resumed) == 0
    assert main([*command, more, "--trainer.default_root_dir=straight"]) == 0
    a, b = (Classifier.load_from_checkpoint(f"{each}/checkpoints/last.ckpt") for each in ("resumed", "straight"))
    assert same_weights(a, b)


def test_a_fit_that_keeps_nothing_says_so(capsys, monkeypatch):
    monkeypatch.setattr(Classifier, "on_train_start", lambda self: os.kill(os.getpid(), signal.SIGINT), raising=False)
    fit = ["fit", "--config", "logistic", "--trainer.enable_checkpointing=false", "--trainer.logger=false", *QUIET]
    assert main([*fit, "--trainer.max_steps=1000000"]) == 130
    assert re.match(r"stopped (at step 1|before the first step); nothing is kept", capsys.readouterr().err)


@pytest.mark.parametrize("after", [0.3, 1.0])
def test_while_libraries_are_imported(after, tmp_path):
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); print(1, flush=True)\n"
    code += "import sys; from lightning_module.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "fit", "--config", "cnn"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(lightning_module.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    process.stdout.readline()
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.splitlines()[-1] in (
        EARLY,
        STOPPED,
        "stopped before the first step; nothing is kept, and the same command begins again",
    )


def test_a_build_with_processes_of_its_own(tmp_path):
    """They are forked from the command, and are not to take its handlers for theirs."""
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import sys; from lightning_module.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "data", "build", "large", "--num-proc", "2"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(lightning_module.__file__).parents[1]),
            "HF_DATASETS_CACHE": str(tmp_path / "hf"),
        },
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while not list((tmp_path / "hf").rglob("*.arrow")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - start < MOST + 1
    assert error.splitlines()[-1] == data.GROUP.stopped["build"]
    assert "Traceback" not in error
