"""What the sources say about the learned activation function, as claims; and where its numbers were, as bands."""

from typing import Any

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Quantity, Value, largest, value

PAPER = "Greydanus & Kobak 2024, metalearning an activation function"
BLOG = "Greydanus 2020, metalearning an activation function"
NOTEBOOK = "the notebook of the activation function, stored output"
STEPS = 301  # inner steps of the published protocol
FIRST = {0: 1.352, 1: 1.314, 2: 1.284, 3: 1.252}  # objectives of the first outer steps
OTHERS = {"relu": 0.588, "swish": 0.578, "elu": 0.508, "tanh": 0.506, "softplus": 0.438, "sigmoid": 0.348}
# Means over all 301 inner steps.
MEAN_LOSSES = {"relu": 1.337, "swish": 1.368, "elu": 1.474, "tanh": 1.524, "softplus": 1.647, "sigmoid": 1.753}
NAMES = {"relu": "ReLU", "swish": "Swish", "elu": "ELU", "tanh": "tanh", "softplus": "softplus", "sigmoid": "sigmoid"}


def result(function: str, column: str = "accuracy", *, arm: str = "fresh", setting: str = "published") -> Value:
    """Returns the results of networks with an activation function, by seed."""
    return value(column, arm=arm, setting=setting, function=function)


def published_run(column: str, step: int) -> Value:
    """Returns a number of an outer step of the published run, seed 0."""
    return value(column, table="outer", unit=None, seed=0, steps=STEPS, step=step)


def outer(column: str, **where: Any) -> Value:
    """Returns a number of an outer step, by meta-training."""
    return value(column, table="outer", **where)


def rank(data: str, column: str) -> Value:
    """Returns the rank of the learned function among seven, by seed; 1 for the lowest loss."""
    return value(f"rank_{column}", table="transfer", data=data, function="learned")


def tuned(function: str, column: str = "accuracy") -> Value:
    """Returns the results of networks with the learning rate and the factors chosen for a function, by seed."""
    return result(function, column, setting="tuned")


BEST_TUNED: Quantity = largest(*(tuned(function) for function in OTHERS))
# In the middle of seven: neither among the best two nor among the worst two.
MIDDLE = (2.5, 5.5)

CLAIMS = (
    Claim(
        name="objective-falls",
        text="Meta-training lowers the mean of the last 200 inner losses, to 0.884 after 301 outer steps.",
        source=NOTEBOOK,
        number=Number(of=outer("objective", last=True), published=0.8842, rounding=0.00005),
        finding=Finding(of=outer("objective", step=0) - outer("objective", last=True), above=0.0),
    ),
    *(
        Claim(
            name=f"objective-step-{step}",
            text=f"The objective of the published run is {published} at outer step {step}.",
            source=NOTEBOOK,
            number=Number(of=published_run("objective", step), published=published, rounding=0.0005),
            not_tested="one run is a number, and no statement",
        )
        for step, published in FIRST.items()
    ),
    Claim(
        name="learned-accuracy",
        text="A network with the learned function reaches 68.4 % where ELU, from which it began, has 48.6 %.",
        source=NOTEBOOK,
        number=Number(of=result("learned", arm="frozen"), published=0.684, rounding=0.0005),
        finding=Finding(of=outer("accuracy", last=True) - outer("accuracy", step=0), above=0.0),
    ),
    Claim(
        name="five-points",
        text="The learned function outperforms ReLU by more than 5 points; 9.6 in the stored run.",
        source=PAPER,
        number=Number(
            of=result("learned", arm="frozen") - result("relu", arm="frozen"), published=0.096, rounding=0.001
        ),
        finding=Finding(of=result("learned") - result("relu"), above=0.05),
    ),
    *(
        Claim(
            name=f"above-{function}",
            text=f"The learned function outperforms {NAMES[function]} ({100 * published:.1f} %).",
            source=BLOG,
            number=Number(of=result(function, arm="frozen"), published=published, rounding=0.001),
            finding=Finding(of=result("learned") - result(function), above=0.0),
        )
        for function, published in OTHERS.items()
    ),
    Claim(
        name="ranking",
        text="Of the others ReLU and Swish are ahead of ELU and tanh, these ahead of softplus, and sigmoid is last.",
        source=f"{BLOG}, the figure",
        finding=tuple(
            Finding(of=result(better) - result(worse), above=0.0)
            for better, worse in (
                ("relu", "elu"),
                ("relu", "tanh"),
                ("swish", "elu"),
                ("swish", "tanh"),
                ("elu", "softplus"),
                ("tanh", "softplus"),
                ("softplus", "sigmoid"),
            )
        ),
    ),
    Claim(
        name="shape",
        text="The learned function is not monotone: a positive bump left of 0 (0.6), a negative dip right of 0.",
        source=f"{BLOG}, the figure",
        number=Number(of=value("bump", table="features"), published=0.6, rounding=0.05),
        finding=(
            Finding(of=value("bump", table="features"), above=0.0),
            Finding(of=value("dip", table="features"), below=0.0),
            Finding(of=value("fall", table="features"), above=0.0),
        ),
    ),
    Claim(
        name="dip",
        text="The dip right of 0 is 0.85 deep.",
        source=f"{BLOG}, the figure",
        number=Number(of=value("dip", table="features"), published=-0.85, rounding=0.05),
        not_tested="the source's figure is a number only",
    ),
    Claim(
        name="piecewise",
        text="Six straight pieces do as well as the learned function: 66.4 against 68.4 %, so within 4 points.",
        source=NOTEBOOK,
        number=Number(of=result("piecewise", arm="frozen"), published=0.664, rounding=0.0005),
        finding=Finding(of=result("piecewise") - result("learned"), above=-0.04, below=0.04),
    ),
    *(
        Claim(
            name=f"{data}-middle",
            text=f"On {title} a CNN with the learned function is in the middle of the pack.",
            source=f"{BLOG}; without numbers",
            finding=Finding(of=rank(data, "test_loss"), above=MIDDLE[0], below=MIDDLE[1]),
            needs=f"the images of {title}",
        )
        for data, title in (("mnist", "MNIST"), ("cifar10", "CIFAR-10"))
    ),
    *(
        Claim(
            name=f"{data}-early",
            text=f"On {title} its early training loss is good: better than that of the middle one.",
            source=f"{BLOG}; without numbers",
            finding=Finding(of=rank(data, "early_loss"), below=4.0),
            needs=f"the images of {title}",
        )
        for data, title in (("mnist", "MNIST"), ("cifar10", "CIFAR-10"))
    ),
    Claim(
        name="an-hour",
        text="The meta-training takes about an hour on a CPU.",
        source=PAPER,
        not_tested="a time is a property of a machine; the result's provenance has ours",
    ),
    Claim(
        name="tuned-relu",
        text="Is the learned function, as it was learned, better than ReLU with its own learning rate and scales?",
        finding=Finding(of=result("learned") - tuned("relu"), above=0.0),
        exploratory=True,
    ),
    Claim(
        name="tuned-best",
        text="Is it better than the best of all others, each with its own learning rate and scales?",
        finding=Finding(of=result("learned") - BEST_TUNED, above=0.0),
        exploratory=True,
    ),
    Claim(
        name="both-tuned",
        text="Is it better than the best of the others if it, too, has its own learning rate and scales?",
        finding=Finding(of=tuned("learned") - BEST_TUNED, above=0.0),
        exploratory=True,
    ),
    Claim(
        name="equal-windows",
        text="Is its training loss lower than ReLU's over the same steps: all of them? (Published: 0.936, last 200.)",
        finding=Finding(of=result("learned", "mean_loss") - result("relu", "mean_loss"), below=0.0),
        exploratory=True,
    ),
    Claim(
        name="straightened",
        text="Do the straight pieces nearest to our function do as well as it does, within 4 points?",
        finding=Finding(of=result("straightened") - result("learned"), above=-0.04, below=0.04),
        exploratory=True,
    ),
    Claim(
        name="digits-middle",
        text="Is the learned function in the middle of the pack on scikit-learn's digits as well?",
        finding=Finding(of=rank("digits", "test_loss"), above=MIDDLE[0], below=MIDDLE[1]),
        exploratory=True,
    ),
    Claim(
        name="digits-early",
        text="Is its early training loss better than the middle one's on scikit-learn's digits as well?",
        finding=Finding(of=rank("digits", "early_loss"), below=4.0),
        exploratory=True,
    ),
)

BANDS = (
    *(
        Band(
            name=f"objective at outer step {step}, seed 0",
            of=published_run("objective", step),
            low=published - 0.01,
            high=published + 0.01,
        )
        for step, published in FIRST.items()
    ),
    Band(name="objective at outer step 150, seed 0", of=published_run("objective", 150), low=0.85, high=0.93),
    Band(name="objective at outer step 300, seed 0", of=published_run("objective", 300), low=0.80, high=0.90),
    Band(name="accuracy at outer step 0, seed 0", of=published_run("accuracy", 0), low=0.476, high=0.496),
    *(
        Band(
            name=f"mean loss of {NAMES[function]}, frozen",
            of=value("mean_loss", arm="frozen", setting="published", function=function, steps=STEPS),
            low=published - 0.025,
            high=published + 0.025,
        )
        for function, published in MEAN_LOSSES.items()
    ),
    Band(name="largest input of the function", of=outer("largest_input", steps=STEPS), low=0.0, high=32.0),
)
