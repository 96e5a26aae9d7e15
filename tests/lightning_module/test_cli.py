import csv
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
import yaml
from commands.every_parser import parsers

import lightning_module
import mnist1d_hf
from lightning_module.cli import COMMANDS, main
from lightning_module.commands.help_pages import TRAINING

# A validation at step 20, where the default checkpoint callback saves.
FAST = [
    "--trainer.max_steps=20",
    "--trainer.val_check_interval=20",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
]
CONFIGS = Path(lightning_module.__file__).parent / "configs"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(CONFIGS.parents[1])}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path, check=False)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["data", "--help"], ["fit", "-h"], ["nonsense"]])
def test_help_does_not_import_torch(tmp_path, arguments):
    code = f"import sys; from lightning_module.cli import main\ntry: main({arguments!r})\n"
    done = python(code + "finally: sys.stderr.write(f'torch={\"torch\" in sys.modules}')", tmp_path)
    assert "torch=False" in done.stderr
    assert done.returncode == (2 if arguments == ["nonsense"] else 0)


def test_importing_the_package_does_not_import_torch(tmp_path):
    done = python("import sys, lightning_module; print('torch' in sys.modules, dir(lightning_module))", tmp_path)
    assert done.stdout.startswith("False")
    assert "Classifier" in done.stdout


@pytest.mark.parametrize("package", ["mnist1d_hf", "lightning_module"])
def test_either_package_is_the_command(package, tmp_path, capsys):
    done = subprocess.run(
        [sys.executable, "-m", package, "evalu"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CONFIGS.parents[1])},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("error: 'evalu' is not a command; did you mean 'test'?\nsee mnist1d --help\n")


def test_the_command_alone_is_its_help(capsys):
    with pytest.raises(SystemExit) as alone:
        main([])
    shown = capsys.readouterr().out
    with pytest.raises(SystemExit) as helped:
        main(["--help"])
    assert (alone.value.code, helped.value.code) == (0, 0)
    assert capsys.readouterr().out == shown
    assert main(["data"]) == 0
    assert "mnist1d data COMMAND --help" in capsys.readouterr().out


def test_version_names_what_decides_the_results(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    versions = [metadata.version(name) for name in ("mnist1d-hf", "torch", "pytorch-lightning", "datasets")]
    assert all(version in said for version in [*versions, mnist1d_hf.DATA_VERSION])


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", TRAINING)
def test_help_has_what_people_want_first_and_it_is_true(command, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) <= (100 if command == "fit" else 70)
    assert max(map(len, shown.splitlines())) <= columns
    parser = parsers()[command]
    assert parser.format_help() == shown
    named = {each: said for group in TRAINING[command][1].values() for each, said in group.items()}
    actions = {option: action for action in parser._actions for option in action.option_strings}
    for term, said in named.items():
        for option in re.findall(r"--?[a-z][\w.-]*", term):
            default = re.search(r"\(default: (.*?)[,)]", said)
            assert option in actions
            assert default is None or str(parser.get_default(actions[option].dest)) == default[1]
    monkeypatch.setenv("COLUMNS", "80")
    every = parser.format_help(every=True)
    assert all(option in every for option in actions if option.startswith("--"))


def test_help_all_has_every_option(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["fit", "--help-all"])
    assert stopped.value.code == 0
    assert "--trainer.gradient_clip_algorithm" in capsys.readouterr().out


def test_every_public_name_is_there():
    for name in lightning_module.__all__:
        assert getattr(lightning_module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Clasifier'"):
        lightning_module.Clasifier  # noqa: B018


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize("config", sorted(path.name for path in CONFIGS.iterdir()))
def test_packaged_config_is_the_reference_protocol(config):
    values = yaml.safe_load((CONFIGS / config).read_text())
    assert values["seed_everything"] == 42
    assert values["model"] == {"network": config.removesuffix(".yaml"), "lr": 1e-2}
    assert values["data"] == {"name": "default", "batch_size": 100, "val": "test", "shuffle": "none"}
    assert values["trainer"] == {"max_steps": 6000, "val_check_interval": 250, "check_val_every_n_epoch": None}
    assert main(["fit", "--config", config.removesuffix(".yaml"), "--trainer.fast_dev_run=true"]) == 0


def test_fit_test_predict_twice_in_one_folder(tmp_path, capsys):
    for _ in range(2):
        log = ["--trainer.logger=false"]  # so that both runs write into one folder
        assert main(["fit", "--config", "logistic.yaml", *FAST, *log]) == 0
    checkpoint = max(tmp_path.rglob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    use = ["--config", "logistic.yaml", "--ckpt_path", str(checkpoint), *FAST, *log]
    assert main(["validate", *use]) == 0
    assert main(["test", *use]) == 0
    assert "test/acc" in capsys.readouterr().out
    assert main(["predict", *use]) == 0
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(1000))
    model = lightning_module.Classifier.load_from_checkpoint(checkpoint, weights_only=True)
    x, _ = lightning_module.MNIST1DDataModule().examples("test")
    assert [int(row["prediction"]) for row in rows] == model(x).argmax(1).tolist()


def test_the_seed_of_a_config_decides_the_run(tmp_path):
    for _ in range(2):
        assert main(["fit", "--config", "mlp.yaml", *FAST]) == 0
    a, b = (torch.load(path, weights_only=True)["state_dict"] for path in sorted(tmp_path.rglob("*.ckpt")))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_printed_config_gives_the_same_config(tmp_path, capsys):
    def printed(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["fit", *arguments, "--print_config"])
        assert stopped.value.code == 0
        return capsys.readouterr().out

    first = printed("--config", "cnn.yaml", "--data.batch_size", "50")
    assert "batch_size: 50" in first
    (tmp_path / "mine.yaml").write_text(first)
    assert printed("--config", "mine.yaml") == first


def test_own_file_comes_before_the_packaged_one(tmp_path):
    (tmp_path / "cnn.yaml").write_text("model: {network: logistic}\ntrainer: {fast_dev_run: true}\n")
    assert main(["fit", "--config=cnn.yaml"]) == 0
    assert main(["fit", "-c", "cnn"]) == 0
    assert not list(tmp_path.rglob("*.ckpt"))


def test_data_decide_the_size_of_the_network(tmp_path):
    assert main(["fit", "-c", "cnn.yaml", "--data.name", "long", *FAST]) == 0
    (path,) = tmp_path.rglob("*.ckpt")
    assert torch.load(path, weights_only=True)["hyper_parameters"]["length"] == 120


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--config", "cnn.yaml", "--data.batch_size=0"], "batch_size=0 must be at least 1"),
        (["fit", "--config", "cnn.yaml", "--model.network=cnm"], "did you mean 'cnn'"),
        (["fit", "--config", "cnn.yaml", "--data.name=defualt"], "defualt"),
        (["fit", "--config", "missing.yaml"], "missing.yaml"),
        (["fit", "--config", "cnn.yaml", "--data.nonsense=1"], "data.nonsense"),
        (["test", "--config", "cnn.yaml", "--ckpt_path=missing.ckpt"], "missing.ckpt"),
    ],
)
def test_errors_are_one_line_and_status_2(capsys, arguments, message):
    try:
        status = main(arguments)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(tmp_path):
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    ascii_only.pop("MNIST1D_LIGHTNING", None)  # of which the command says a line
    program = "import sys; from lightning_module.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "data", "limits", "--n", "20"]
    done = subprocess.run(command, env=ascii_only, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ? " in done.stdout  # plus or minus
