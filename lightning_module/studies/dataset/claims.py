"""What the sources say of the data set itself, as claims; and where its numbers were before, as regression bands."""

from typing import Final

import numpy as np

from lightning_module.studies.dataset.published import PUBLISHED_CNN, PUBLISHED_HUMAN, VERY_WELL
from lightning_module.studies.dataset.untested import UNTESTED
from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Exact, Quantity, Value, smallest, value

BLOG: Final = "Greydanus 2020"
ABSTRACT: Final = f"{BLOG} (arXiv v1), abstract"
OTHERS: Final = f"{BLOG}, other small datasets"
PAPER: Final = "Greydanus & Kobak 2024"
README: Final = "README"

# "About T" is kept below this many T, half way to twice as long.
ABOUT: Final = 1.5


def size(column: str, dataset: str) -> Value:
    """Returns an entry of the table of sizes."""
    return value(column, table="sizes", unit=None, dataset=dataset)


def compared(column: str, of: str, with_: str) -> Exact:
    """Returns how many times larger one data set is than another."""
    return Exact(size(column, of) / size(column, with_))


def fact(name: str) -> Exact:
    """Returns an entry of the table of facts."""
    return Exact(value("value", table="facts", unit=None, fact=name))


def minutes(experiment: str) -> Value:
    """Returns how long a published experiment takes one core, by turn."""
    return value("minutes", unit="repeat", experiment=experiment)


def seconds(experiment: str, piece: str) -> Value:
    """Returns the seconds of a piece of an experiment, by turn."""
    return value("seconds", table="pieces", unit="repeat", experiment=experiment, piece=piece)


def exactly(of: Quantity, number: float, half: float) -> Finding:
    """Returns the finding that a quantity is a number, as far as it is printed."""
    return Finding(of=of, above=number - half, below=number + half)


def _promised_time(name: str, text: str, source: str, experiment: str, promised: float) -> Claim:
    """Returns a claim on a run time, in minutes."""
    finding = Finding(of=minutes(experiment), below=ABOUT * promised)
    return Claim(name=name, text=f"{text} One core here, within {ABOUT:g} times that.", source=source, finding=finding)


TWENTY: Final = 20
SMALLER = compared("dimensions", "mnist", "mnist1d")
SMALLER_STORED = compared("example_bytes", "mnist", "mnist1d")

SIZES = (
    Claim(
        name="smaller-in-numbers",
        text="Training examples are 20 times smaller than those of MNIST: in numbers, 784 against 40.",
        source=ABSTRACT,
        number=Number(of=SMALLER, published=TWENTY, rounding=0.5),
        finding=exactly(SMALLER, TWENTY, 0.5),
    ),
    Claim(
        name="smaller-in-bytes",
        text="Training examples are 20 times smaller than those of MNIST: in bytes as stored, one a pixel against four "
        "a point (float32).",
        source=ABSTRACT,
        number=Number(of=SMALLER_STORED, published=TWENTY, rounding=0.5),
        finding=exactly(SMALLER_STORED, TWENTY, 0.5),
    ),
    Claim(
        name="less-memory",
        text="Low dimensional means less memory: an example has fewer bytes.",
        source=README,
        finding=Finding(of=SMALLER_STORED, above=1.0),
    ),
    Claim(
        name="two-orders-in-numbers",
        text="The data set is over two orders of magnitude smaller than MNIST: all examples, in numbers.",
        source=f"{PAPER}, section 2",
        finding=Finding(of=compared("numbers", "mnist", "mnist1d"), above=100.0),
    ),
    Claim(
        name="two-orders-in-bytes",
        text="The data set is over two orders of magnitude smaller than MNIST: all examples, in bytes as stored.",
        source=f"{PAPER}, section 2",
        finding=Finding(of=compared("bytes", "mnist", "mnist1d"), above=100.0),
    ),
    Claim(
        name="default-size",
        text="The default has 4,000 training and 1,000 test signals.",
        source=f"{PAPER}, table 2",
        number=Number(of=Exact(size("train", "mnist1d")), published=4000),
        finding=(
            exactly(Exact(size("train", "mnist1d")), 4000, 0.5),
            exactly(Exact(size("test", "mnist1d")), 1000, 0.5),
        ),
    ),
    Claim(
        name="as-published",
        text="What is generated is exactly the published data set: all five arrays, bit for bit in float32.",
        source=f"{README}, downloading the dataset",
        finding=exactly(fact("arrays as published"), 5, 0.5),
    ),
    Claim(
        name="parameters",
        text="The ten default parameters are those of the table.",
        source=f"{PAPER}, table 2",
        finding=exactly(fact("parameters as published"), 10, 0.5),
    ),
    Claim(
        name="padding",
        text="36 to 60 points are added to a template.",
        source=f"{PAPER}, section 3",
        finding=(exactly(fact("smallest padding"), 36, 0.5), exactly(fact("largest padding"), 60, 0.5)),
    ),
    Claim(
        name="translation",
        text="Signals are shifted by up to 48 points.",
        source=f"{PAPER}, section 3 and table 2",
        number=Number(of=fact("largest translation"), published=48),
        finding=Finding(of=fact("largest translation"), below=48.5),
    ),
    Claim(
        name="ten-thousand",
        text="With num_samples of 10,000 there are 8,000 training signals.",
        source=f"{PAPER}, section 3",
        number=Number(of=fact("signals of a custom call"), published=8000),
        finding=exactly(fact("signals of a custom call"), 8000, 0.5),
    ),
    Claim(
        name="offset",
        text="The mean of a signal has a standard deviation of 0.30.",
        source=f"{PAPER}, notebook of the self-supervised learning",
        number=Number(of=fact("offset"), published=0.30, rounding=0.005),
    ),
    Claim(
        name="slope",
        text="The slope of a signal has a standard deviation of 0.04.",
        source=f"{PAPER}, notebook of the self-supervised learning",
        number=Number(of=fact("slope"), published=0.04, rounding=0.005),
    ),
)

BESIDE = (
    Claim(
        name="cifar10-four-times",
        text="Examples of CIFAR-10 are four times larger than those of MNIST.",
        source=OTHERS,
        number=Number(of=compared("dimensions", "cifar10", "mnist"), published=4, rounding=0.5),
        finding=exactly(compared("dimensions", "cifar10", "mnist"), 4, 0.5),
    ),
    Claim(
        name="cifar10-as-many",
        text="CIFAR-10 has the same number of training examples as MNIST.",
        source=OTHERS,
        number=Number(of=compared("train", "cifar10", "mnist"), published=1),
        finding=exactly(compared("train", "cifar10", "mnist"), 1, 0.005),
    ),
    Claim(
        name="fashion-as-large",
        text="FashionMNIST has the size of MNIST.",
        source=f"{OTHERS}; {PAPER}, section 2",
        finding=exactly(compared("numbers", "fashion_mnist", "mnist"), 1, 0.005),
    ),
    Claim(
        name="none-smaller",
        text="None of CIFAR-10 and FashionMNIST is substantially smaller than MNIST: both have over half its numbers.",
        source=f"{PAPER}, section 2",
        finding=Finding(
            of=Exact(smallest(size("numbers", "cifar10"), size("numbers", "fashion_mnist")) / size("numbers", "mnist")),
            above=0.5,
        ),
    ),
    Claim(
        name="point-clouds",
        text="Scikit-learn's toy data sets (moons, circles, blobs) are just clouds of points in two dimensions.",
        source=f"{PAPER}, section 2; {README}",
        finding=tuple(
            exactly(Exact(size("dimensions", name)), 2, 0.5) for name in ("make_moons", "make_circles", "make_blobs")
        ),
    ),
    Claim(
        name="simple-methods-suffice",
        text="On scikit-learn's data sets one can often do very well with simple linear or kernel methods: on more "
        "than half of eight sets above 90 %.",
        source=OTHERS,
        finding=Finding(of=value("share", table="shares"), above=0.5),
    ),
    Claim(
        name="simple-methods-on-mnist1d",
        text="On MNIST-1D neither of the same two methods does very well: both stay below 90 %.",
        finding=(
            Finding(of=value("linear", table="classical", dataset="mnist1d"), below=VERY_WELL),
            Finding(of=value("kernel", table="classical", dataset="mnist1d"), below=VERY_WELL),
        ),
        exploratory=True,
    ),
    Claim(
        name="neighbours-mean-nothing",
        text="Nearest neighbours in pixel space are not semantically meaningful: ten of them tell the digit at most "
        "twice as often as guessing, below 20 %.",
        source=f"{PAPER}, section 4 and figure 3",
        finding=Finding(of=value("accuracy", table="neighbours"), below=0.2),
    ),
    Claim(
        name="similar-digits",
        text="The CNN and the human have similar error rates by digit: over the ten digits they are correlated, by "
        "more than 0.5 (0.79 as published).",
        source=f"{PAPER}, section 4 and figure S1",
        number=Number(
            of=value("correlation", table="profiles"),
            published=round(float(np.corrcoef(PUBLISHED_HUMAN, PUBLISHED_CNN)[0, 1]), 2),
            rounding=0.02,
        ),
        finding=Finding(of=value("correlation", table="profiles"), above=0.5),
    ),
)

CPU: Final = "on a CPU"
TIMES = (
    _promised_time(
        "time-classification",
        f"Training all networks takes about 10 minutes {CPU}.",
        f"{PAPER}, figure 2",
        "classification",
        10.0,
    ),
    _promised_time(
        "time-learning-rate",
        f"Metalearning the learning rate takes one minute {CPU}.",
        f"{PAPER}, section 5.3 and figure 6",
        "learning-rate",
        1.0,
    ),
    Claim(
        name="time-learning-rate-seconds",
        text="Metalearning the learning rate takes seconds: less than a minute. One core here.",
        source=f"{BLOG}, metalearning a learning rate",
        finding=Finding(of=minutes("learning-rate"), below=1.0),
    ),
    _promised_time(
        "time-activation",
        f"Metalearning the activation function takes around 1 hour {CPU}.",
        f"{PAPER}, section 5.4 and figure 7",
        "activation",
        60.0,
    ),
    _promised_time(
        "time-self-supervision",
        f"Training SimCLR takes about 1 minute {CPU}.",
        f"{PAPER}, section 5.5",
        "self-supervision",
        1.0,
    ),
    _promised_time(
        "time-three-encoders",
        "The figure on self-supervision takes about 5 minutes: three encoders, here without the probes.",
        f"{PAPER}, figure 8",
        "self-supervision, three",
        5.0,
    ),
    _promised_time(
        "time-pooling",
        "The pooling benchmark takes about 5 minutes; of what machine is not said.",
        f"{PAPER}, figure 9",
        "pooling",
        5.0,
    ),
    Claim(
        name="within-minutes",
        text="The experiments can often be conducted on a CPU within minutes: classification, learning rate, "
        "self-supervision and pooling take less than an hour each. One core here.",
        source=f"{PAPER}, abstract",
        finding=tuple(
            Finding(of=minutes(name), below=60.0)
            for name in ("classification", "learning-rate", "self-supervision, three", "pooling")
        ),
    ),
    Claim(
        name="gru-ten-times-the-cnn",
        text="Training the GRU takes at least 10 times as long as training the CNN: a step of torch's GRU against one "
        "of the CNN.",
        source=f"{README}, comparing MNIST and MNIST-1D",
        finding=Finding(of=seconds("classification", "gru step") / seconds("classification", "cnn step"), above=10.0),
    ),
    Claim(
        name="smaller-is-faster",
        text="Low dimensional means faster training: a step of the MLP takes longer on 784 points than on 40.",
        source=f"{README}; {PAPER}, section 3",
        finding=Finding(
            of=seconds("length", "mlp step, 784 points") / seconds("length", "mlp step, 40 points"), above=1.0
        ),
    ),
    Claim(
        name="generated-in-a-second",
        text="Is the default data set generated in less than a second?",
        finding=Finding(of=seconds("generation", "all signals"), below=1.0),
        exploratory=True,
    ),
)

CLAIMS = (*SIZES, *BESIDE, *TIMES, *UNTESTED)

BANDS = (
    Band(name="arrays as published", of=fact("arrays as published"), low=5, high=5),
    Band(name="lowest value", of=fact("lowest"), low=-5.4795, high=-5.4785),
    Band(name="highest value", of=fact("highest"), low=4.5335, high=4.5345),
    Band(name="last time", of=fact("last time"), low=5.3874, high=5.3876),
)
