"""The bar says what is so: compared with single steps of stock Lightning, and with what a terminal is sent."""

import contextlib
import io
import logging
import re
import sys
from datetime import timedelta

import pytest
import torch
from fits import Batches, classifier, data_of, trainer_in
from rich.console import Console

from lightning_module import Ensemble
from lightning_module.loop import training_bar
from lightning_module.loop.training_bar import TrainingBar, loss_words
from lightning_module.terminal.progress import ProgressLine
from lightning_module.twin import pl

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LINE = re.compile(r"[\d,]+/[\d,]+ - [\d,.]+ (steps/s|s/step) - (in )?\d+:\d\d( left)? - train \S+ - val [\d.]+ %")


@pytest.fixture
def told(monkeypatch):
    """Collects what the bar would show after every batch: steps, share, and the texts by their first word."""
    found = []

    class Line(ProgressLine):
        is_due = True

        def _update(self, done, share, parts):
            super()._update(done, share, parts)
            found.append((done, share, [part.text for part in parts()]))

        def _print(self):
            pass

    monkeypatch.setattr(training_bar, "ProgressLine", Line)
    return found


def terminal(monkeypatch, width=80, **options):
    """Lets the bar be drawn in a terminal of a width, anew after every batch; returns where it is drawn."""
    file = io.StringIO()
    options = {"force_terminal": True, "force_interactive": True, "width": width, **options}

    class Line(ProgressLine):
        is_due = True

        def __init__(self):
            super().__init__(Console(file=file, _environ={"TERM": "xterm"}, **options))

    monkeypatch.setattr(training_bar, "ProgressLine", Line)
    return file


def shown(file):
    return [line.strip() for line in re.split(r"[\r\n]+", CODES.sub("", file.getvalue())) if line.strip()]


def fit(folder, path, *, model=None, data=None, ckpt_path=None, **keywords):
    trainer = trainer_in(path, **{"enable_progress_bar": True, **keywords})
    trainer.fit(model or classifier("logistic"), data or data_of(folder), ckpt_path=ckpt_path)
    return trainer


def bars(trainer):
    return [type(each) for each in trainer.callbacks if isinstance(each, pl.callbacks.ProgressBar)]


class Losses(pl.Callback):
    """The training loss of every single step, and the accuracy of the validation before it."""

    def __init__(self):
        self.at = {}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        accuracy = trainer.callback_metrics.get("val/acc")
        self.at[trainer.global_step] = float(outputs["loss"]), None if accuracy is None else float(accuracy)


def test_loss_and_accuracy_are_those_of_the_step_that_the_line_names(folder, tmp_path, told):
    options = {"max_epochs": 3, "val_check_interval": 9}
    single = Losses()
    fit(
        folder,
        tmp_path,
        model=classifier("logistic", steps=1),
        callbacks=[single],
        enable_progress_bar=False,
        **options,
    )
    taken = Batches()
    trainer = fit(folder, tmp_path, callbacks=[taken], **options)
    assert 10 < len(taken.seen) < len(single.at) / 5  # several steps at once, and the bar was asked after each
    steps = trainer.global_step
    assert {step for _, step in taken.seen} <= {done for done, _, _ in told}
    for done, share, texts in told:
        assert share == done / steps
        assert texts[0] == f"{done}/{steps}"
        loss, accuracy = single.at[done]
        assert f"train {loss_words(loss)}" in texts
        if accuracy is not None and done % 36 not in {9, 18, 27, 0}:  # there, before or after the validation
            assert f"val {100 * accuracy:.1f} %" in texts


@pytest.mark.parametrize(
    ("options", "total"),
    [
        ({"max_epochs": 2}, 72),
        ({"max_steps": 50, "max_epochs": -1}, 50),
        ({"max_steps": 500, "max_epochs": 2}, 72),
        ({"max_steps": 50, "max_epochs": 3}, 50),
        ({"max_epochs": 2, "limit_train_batches": 10}, 20),
        ({"max_epochs": 2, "accumulate_grad_batches": 5}, 16),
        ({"max_epochs": 3, "reload_dataloaders_every_n_epochs": 1}, 108),
        ({"max_epochs": 1, "limit_val_batches": 0}, 36),
        ({"fast_dev_run": True}, 1),
    ],
)
def test_it_knows_where_the_training_ends(folder, tmp_path, told, options, total):
    trainer = fit(folder, tmp_path, **options)
    assert trainer.global_step == total
    assert {texts[0].partition("/")[2] for _, _, texts in told} == {f"{total}"}
    assert (told[-1][0], told[-1][1]) == (total, 1.0)


def test_resumed_it_goes_on_where_it_was_and_ends_where_it_should(folder, tmp_path, told):
    saver = pl.callbacks.ModelCheckpoint(tmp_path, "half", every_n_train_steps=50)  # in the middle of an epoch
    fit(folder, tmp_path, max_epochs=2, callbacks=[saver], enable_checkpointing=True)
    told.clear()
    trainer = fit(folder, tmp_path, max_epochs=3, ckpt_path=tmp_path / "half.ckpt")
    assert trainer.global_step == 108
    assert told[0][0] > 50
    assert {texts[0].partition("/")[2] for _, _, texts in told} == {"108"}


def test_a_limit_of_time_is_the_time_that_is_left(folder, tmp_path, told, monkeypatch):
    monkeypatch.setattr(pl.callbacks.Timer, "time_elapsed", lambda *_: 900.0)
    fit(folder, tmp_path, max_time=timedelta(hours=1), max_steps=40, max_epochs=-1)
    assert "0:" in told[3][2][2]  # the steps end first
    told.clear()
    with contextlib.suppress(RuntimeError):
        fit(folder, tmp_path, max_time=timedelta(hours=1), max_epochs=-1, callbacks=[StopAt(60)])
    assert told[3][1] == 0.25
    assert told[3][2][0].endswith(" steps")
    assert told[3][2][2] == "45:00 left"


class StopAt(pl.Callback):
    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if trainer.global_step >= self.step:
            raise RuntimeError("enough")


def test_what_is_shown_is_asked_for_only_when_it_is_drawn(folder, tmp_path, monkeypatch):
    asked = []
    parts = training_bar.metric_parts
    monkeypatch.setattr(
        training_bar, "metric_parts", lambda trainer: (asked.append(trainer.global_step), parts(trainer))[1]
    )
    fit(folder, tmp_path, model=classifier("logistic", steps=1), max_epochs=2)
    assert asked == [0, 72]  # at both ends: no line is due, and nobody looks at a terminal


OTHERS = [pl.callbacks.TQDMProgressBar, pl.callbacks.RichProgressBar]
(NOT_OWN,) = [kind for kind in OTHERS if kind is not training_bar.own_bar()]


class MyBar(pl.callbacks.ProgressBar):
    def disable(self):
        pass


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, [TrainingBar]),
        ({"enable_progress_bar": False}, []),
        ({"callbacks": [MyBar()]}, [MyBar]),
        ({"callbacks": [NOT_OWN()]}, [NOT_OWN]),
        ({"callbacks": [training_bar.own_bar()(refresh_rate=7)]}, [training_bar.own_bar()]),
        ({"callbacks": [TrainingBar()]}, [TrainingBar]),
    ],
)
def test_a_bar_of_the_user_stays_and_nobody_has_two(folder, tmp_path, capsys, options, kinds):
    trainer = fit(folder, tmp_path, max_steps=3, max_epochs=-1, **options)
    assert bars(trainer) == kinds
    model = classifier("logistic")
    trainer.fit_loop.epoch_loop.max_steps = 6
    trainer.fit(model, data_of(folder))
    trainer.validate(model, data_of(folder), verbose=False)
    trainer.test(model, data_of(folder), verbose=False)
    assert bars(trainer) == kinds
    assert ("3/3 - " in capsys.readouterr().err) == (kinds == [TrainingBar])


def test_an_ensemble_has_it_too(folder, tmp_path, told):
    fit(folder, tmp_path, model=Ensemble("logistic", 3), max_epochs=2)
    assert told[-1][0] == 72
    assert [text.split()[0] for text in told[-1][2][1:]] == [told[-1][2][1].split()[0], "in", "train", "val"]


def test_another_process_shows_nothing(folder, tmp_path, told, monkeypatch):
    monkeypatch.setattr(pl.Trainer, "is_global_zero", False)
    fit(folder, tmp_path, max_steps=3, max_epochs=-1)
    assert told == []


@pytest.mark.parametrize("width", [80, 50, 40, 24])
def test_in_a_terminal_it_is_one_line_that_fits(folder, tmp_path, monkeypatch, width):
    file = terminal(monkeypatch, width)
    fit(folder, tmp_path, max_epochs=2)
    lines = shown(file)
    assert max(map(len, lines)) <= width
    assert all(re.search(r"\d+/72( |$)", line) for line in lines)
    assert [("steps/s" in lines[-1]), (" train " in lines[-1]), (" val " in lines[-1]), (" in " in lines[-1])] == [
        width >= 80,
        width >= 50,
        width >= 40,
        width >= 24,
    ]
    assert CODES.sub("", file.getvalue()).endswith("\n")


def test_what_is_printed_and_logged_meanwhile_stands_above_it(folder, tmp_path, monkeypatch):
    file = terminal(monkeypatch)
    monkeypatch.setattr("lightning_module.terminal.progress._is_shown", lambda _: True)
    log = logging.getLogger("pytorch_lightning")
    handler = logging.StreamHandler(sys.stderr)
    log.addHandler(handler)

    class Talker(pl.Callback):
        def on_validation_end(self, trainer, module):
            if not trainer.sanity_checking:
                print("printed")  # noqa: T201
                log.warning("logged")

    try:
        fit(folder, tmp_path, max_epochs=1, callbacks=[Talker()])
        assert handler.stream is sys.stderr
    finally:
        log.removeHandler(handler)
    assert {"printed", "logged"} <= set(shown(file))


def test_what_is_printed_into_a_pipe_arrives_there(folder, tmp_path, monkeypatch, capsys):
    file = terminal(monkeypatch)

    class Talker(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            print("printed")  # noqa: T201

    fit(folder, tmp_path, max_epochs=1, callbacks=[Talker()])
    assert "printed\n" in capsys.readouterr().out
    assert "printed" not in file.getvalue()


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1", "TTY_COMPATIBLE": "1"}, {"TERM": "dumb"}])
def test_elsewhere_it_is_lines_without_control_codes(folder, tmp_path, monkeypatch, capsys, environment):
    monkeypatch.setattr("lightning_module.terminal.progress.FIRST_LINE", 1e9)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    fit(folder, tmp_path, max_epochs=2)
    out, err = capsys.readouterr()
    (line,) = [line for line in err.splitlines() if "/72" in line]
    assert LINE.fullmatch(line)
    assert "\x1b" not in out + err
    assert "\r" not in out + err


def test_after_an_exception_the_terminal_is_as_it_was(folder, tmp_path, monkeypatch):
    file = terminal(monkeypatch)
    streams = sys.stdout, sys.stderr
    with pytest.raises(RuntimeError, match="enough"):
        fit(folder, tmp_path, max_epochs=2, callbacks=[StopAt(20)])
    assert (sys.stdout, sys.stderr) == streams
    assert CODES.sub("", file.getvalue()).endswith("\n")
    assert file.getvalue().rfind("\x1b[?25h") > file.getvalue().rfind("\x1b[?25l")  # the cursor is there


def test_a_test_of_many_batches_says_how_far_it_is(folder, tmp_path, told):
    trainer = trainer_in(tmp_path, enable_progress_bar=True)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data_of(folder).examples("test")), batch_size=30)
    trainer.test(classifier("logistic"), data, verbose=False)
    total = -(-len(data.dataset) // 30)
    assert [texts[0] for _, _, texts in told] == [f"{number}/{total}" for number in range(1, total + 1)]
    assert told[-1][1] == 1.0
