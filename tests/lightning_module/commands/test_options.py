"""What holds for every option of every command; the options are found by asking the parsers."""

import functools
import inspect
import re
from argparse import SUPPRESS
from typing import get_args

import pytest
from every_parser import options, parsers

from lightning_module.cli import main
from lightning_module.commands import data, model, study
from lightning_module.commands.options import StrictOptions, add_signature
from lightning_module.commands.parser_messages import LONGEST, as_typed, kind_in_words, options_of
from lightning_module.commands.study.options import changed
from mnist1d_hf.generator.recipe import FIELD_NAMES

# Values that some option of a list takes, each in two.
PAIRS = [
    ("default", "long"),
    ("1", "2"),
    ("LearningRateMonitor", "ModelSummary"),
    ("CSVLogger", "TensorBoardLogger"),
    ("BitsandbytesPrecision", "MixedPrecision"),
]


def takes_a_list(parser, action):
    appended = any(f"{name}+" in parser._option_string_actions for name in action.option_strings)
    return action.nargs in ("*", "+") or (isinstance(action.nargs, int) and action.nargs > 1) or appended


def parsed(parser, *arguments):
    """The options that an own parser of this kind makes of the arguments; None where it refuses them."""
    try:
        return parser.parse_args(list(arguments), _skip_validation=True)
    except SystemExit:
        return None


# What is typed up to the first option, so far as it is a command.
COMMAND = re.compile(r"(fit|study run|data info|data push|demo|quiz|data(?= buld))?")

LISTS = [(command, parser, action) for command, parser, action in options() if takes_a_list(parser, action)]


def test_lists_are_found():
    found = {(command, action.dest) for command, _, action in LISTS}
    assert {("data export", "config"), ("data push", "remove"), ("data verify", "config")} <= found
    assert {("study run", "changes"), ("fit", "trainer.callbacks"), ("predict", "trainer.devices")} <= found


@pytest.mark.parametrize(("command", "parser", "action"), LISTS, ids=lambda value: getattr(value, "dest", None))
@pytest.mark.parametrize("form", ["--name=value", "--name value"])
def test_a_list_typed_in_two_keeps_both(command, parser, action, form, capsys):
    option = next(name for name in action.option_strings if name.startswith("--") and not name.endswith("+"))
    needed = ["x" for each in parser._actions if not each.option_strings and each.nargs is None and each.required]
    kept = []
    for pair in PAIRS:
        typed = [part for value in pair for part in ([f"{option}={value}"] if "=" in form else [option, value])]
        if found := parsed(parser, *needed, *typed):
            kept.append(found[action.dest])
    capsys.readouterr()
    assert any(isinstance(values, list) and len(values) == 2 for values in kept), (command, option, kept)


@pytest.mark.parametrize("command", parsers())
def test_no_option_may_be_shortened(command, capsys):
    parser = parsers()[command]
    names = {name for action in parser._actions for name in action.option_strings if name.startswith("--")}
    assert "--help" in names
    assert isinstance(parser, StrictOptions)
    for name in sorted(names):
        short = name[:-1]
        if short in names or short in {"--", "-"}:
            continue
        found = parser._parse_optional(short)  # a tuple, in newer versions of Python a list of them
        action = (found[0] if isinstance(found, list) else found or [None])[0]
        nested = [f"{option}." for option in (action.option_strings if action else [])]  # as a class of one's own has
        assert action is None or short.startswith(tuple(nested)), (command, short, action.dest)
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(["--hel"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: --hel is not an option; did you mean '--help'?"
    assert len(said) == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("fit --trainer.max_step 3", "did you mean '--trainer.max_steps'?"),
        ("data info --num-samples 7.5", "error: --num-samples=7.5 must be a whole number\n"),
        ("data info --num_samples=7", "error: --num_samples=7 must be from 10 to 1000000000000\n"),
        ("data info --num-samples=2000000", "error: --num-samples=2000000 is more than the reference stream can hold"),
        ("data info --shuffle-seq x", "error: --shuffle-seq=x must be true or false\n"),
        ("data info --padding [1]", "error: --padding=[1] must be 2 whole numbers, [low, high]\n"),
        ("data info --stream quick", "error: --stream=quick must be one of reference, fast\n"),
        ("data push a/b --version 1", "error: --version describes a config of your own; name it with --new-config\n"),
        ("data push a/b --new-config _", "error: --new-config='_' must be letters"),
        ("quiz --number 0", "error: --number=0 must be from 1 to 1000"),
        ("demo --steps 0", "error: --steps=0 must be "),
        ("demo --network cnm --steps 1", "error: --network='cnm' must be one of"),
        ("demo --steps 1 --out taken/inside", "error: [Errno 20] Not a directory: 'taken/inside'\n"),
        ("demo --seed -1 --steps 1", "error: --seed=-1 must be from 0 to 4294967295\n"),
        ("demo --steps x", "error: --steps=x must be a whole number\n"),
        ("fit --config cnn.yaml --model.lr=-1", "error: --model.lr=-1.0 must be above 0\n"),
        ("fit --config cnn.yaml --model.lr=x", "error: --model.lr=x must be a number\n"),
        ("fit --config cnn.yaml --data.val=3", "error: --data.val=3.0 must be a fraction"),
        ("fit --data.val=x", "error: --data.val=x must be a number or test\n"),
        ("fit --data.recipe=3", """error: --data.recipe=3 must be a mapping, as '{"name":0.1}'\n"""),
        ("fit --trainer.logger=CSVLoger", "did you mean CSVLogger?\n"),
        ("fit --trainer.logger=CSVLogger --trainer.logger.foo=3", "--trainer.logger=CSVLogger: it has no 'foo'\n"),
        ("fit --trainer.devices=x --trainer.accelerator=cpu", "error: `devices` selected with"),
        ("fit --config wrong.yaml", "error: --model.lr=x must be a number (in wrong.yaml)\n"),
        (
            "fit --config unknown.yaml",
            "error: 'model.lrr' is not an option; did you mean 'model.lr'? (in unknown.yaml)",
        ),
        ("fit --config broken.yaml", "error: this is not YAML (in broken.yaml): while parsing"),
        (
            "fit --config cnm",
            "is neither a file nor a packaged config; did you mean 'cnn'? Known: cnn, gru, logistic, mlp",
        ),
        ("fit --model.lr", "error: --model.lr needs a value\n"),
        ("fit cnn", "error: 'cnn' is not expected here; options begin with --\n"),
        ("study run", "error: name is missing: mnist1d study run name [options]\n"),
        ("data buld", "error: 'buld' is not a command; did you mean 'build'?\n"),
        ("tain", "error: 'tain' is not a command; did you mean 'fit'?\n"),
        ("xyz", "error: 'xyz' is not a command; known: demo, quiz, fit"),
    ],
)
def test_errors_name_the_option_as_it_is_typed(typed, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()
    (tmp_path / "wrong.yaml").write_text("model: {lr: x}\n")
    (tmp_path / "unknown.yaml").write_text("model: {lrr: 3}\n")
    (tmp_path / "broken.yaml").write_text("model: {lr: [3\n")
    try:
        status = main(typed.split())
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    error = capsys.readouterr().err
    assert said in error
    first, *more = error.splitlines()[-2:] if "see mnist1d" in error else error.splitlines()[-1:]
    assert first.startswith("error: ")
    assert more in ([], [f"see {' '.join(['mnist1d', *COMMAND.match(typed)[0].split()])} --help"])
    assert "Traceback" not in error
    assert "usage:" not in error


KINDS = {repr(kind): kind for _, _, each in options() if (kind := getattr(each, "_typehint", None)) is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_option_takes_can_be_said_in_words(kind):
    """But for texts, which take anything; jsonargparse would list Python's types, on up to ten lines."""
    said = kind_in_words(KINDS[kind])
    assert bool(said) != (KINDS[kind] is str or str in get_args(KINDS[kind]))
    assert len(said) < LONGEST
    assert not {"typing", "Union", "NoneType", "class"} & {*re.findall(r"\w+", said)}


def test_an_option_of_each_field_of_a_recipe_is_named_as_it_is_typed():
    parser = parsers()["data build"]
    for name in FIELD_NAMES:
        for option in {f"--{name}", f"--{name.replace('_', '-')}"}:
            parser.args = [option, "1"]
            assert as_typed(f"{name}=1 must be 2", parser) == f"{option}=1 must be 2"
    parser.args = []
    assert as_typed("num_samples=1 or stream='fast'", parser) == "--num-samples=1 or --stream='fast'"
    assert as_typed("write f(num_samples=1), cache_dir=2", parser) == "write f(num_samples=1), cache_dir=2"


def test_flags_are_named_without_their_value():
    parser = parsers()["data export"]
    assert as_typed("pass overwrite=True to replace it", parser) == "pass --overwrite to replace it"


def test_every_option_has_a_name_that_can_be_said():
    for command, parser, action in options():
        if "." not in action.dest and action.dest not in {"help", "print_config", SUPPRESS} and "," not in command:
            said = as_typed(f"{action.dest}=1", parser)
            assert said.split("=")[0] in action.option_strings, (command, action.dest)
    assert len({action.dest for parser in parsers().values() for action in options_of(parser)}) > 60


def test_repeated_changes_of_a_study_are_all_made():
    from lightning_module.studies import STUDIES

    typed = parsers()["study run"].parse_args(["benchmark", "--set", "seeds=2", "--set", "steps=3"])
    config = changed(STUDIES.find("benchmark").config("smoke"), typed.changes)
    assert (config.seeds, config.steps) == (2, 3)


@pytest.mark.parametrize("group", [data.GROUP, model.GROUP, study.GROUP], ids=lambda group: group.prog)
def test_what_is_not_given_is_what_the_function_itself_takes_for_it(group):
    for command, parser in group.parsers().items():
        typed = [action.dest for action in parser._actions if action.dest != "help"]
        parameters = inspect.signature(group.commands[command]).parameters.values()
        named = [each for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
        more = {*FIELD_NAMES, "stream", "latents"} if len(named) < len(parameters) else set()
        assert {each.name for each in named} | more == set(typed), command
        given = ["x" for each in named if each.default is inspect.Parameter.empty]
        found = parser.parse_args(given).as_dict()
        for each in named[len(given) :]:
            assert found[each.name] == (list(each.default) if isinstance(each.default, tuple) else each.default)


def test_a_parameter_without_its_help_is_no_option():
    def command(*, steps: int = 3) -> int: ...

    with pytest.raises(TypeError, match="'steps' must be Annotated"):
        add_signature(StrictOptions(), command)


WRITTEN = [
    (group, command, action)
    for group in (data.GROUP, model.GROUP, study.GROUP)
    for command, parser in group.parsers().items()
    for action in parser._actions
    if action.dest != "help" and action.nargs != 0
]


@pytest.mark.parametrize(("group", "command", "action"), WRITTEN, ids=lambda value: getattr(value, "dest", None))
def test_nothing_at_all_is_no_value(group, command, action, monkeypatch, capsys):
    """Of a path it would be the current folder."""
    monkeypatch.setitem(group.commands, command, functools.wraps(group.commands[command])(lambda **_: 0))
    positional = [each for each in group.parsers()[command]._actions if not each.option_strings]
    needed = [
        "" if each.dest == action.dest else "x"
        for each in positional
        if each.dest == action.dest or (each.required and each.nargs is None)
    ]
    option = [f"{action.option_strings[-1]}="] if action.option_strings else []
    try:
        status = group.run([command, *needed, *option])
    except SystemExit as stopped:  # where the parser wants a number, say
        status = stopped.code
    assert status == 2
    name = action.option_strings[-1] if action.option_strings else action.dest
    assert name.strip("-").replace("_", "-") in capsys.readouterr().err.replace("_", "-")
