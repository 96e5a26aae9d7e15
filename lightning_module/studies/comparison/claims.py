"""What the sources say about MNIST-1D beside MNIST, as claims; and where numbers were before, as regression bands."""

from lightning_module.studies.framework.cells import Band
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.quantities import Combined, Unpaired, Value, value

BLOG = "Greydanus 2020, introduction"
ABSTRACT = "Greydanus 2020 (arXiv v1), abstract"
CAPTION = "Greydanus 2020, caption of the t-SNE figure"
PROBE = "Greydanus & Kobak 2024, notebook of the self-supervised learning study"
NOTEBOOK = "Greydanus & Kobak 2024, notebook of the t-SNE figure"

# What the source's own numbers for MLP and CNN on MNIST, 99+ % both, leave room for: less than a point.
ALIKE = 0.01
ALL_OF_MNIST = "all 60,000 training images of MNIST"


def trained(column: str, dataset: str, network: str, training: str = "equal") -> Value:
    """Returns the score of a network with the learning rate that validation chose, by seed."""
    return value(column, dataset=dataset, network=network, training=training, selected=True)


def advantage(of: str, over: str, dataset: str, training: str = "equal") -> Combined:
    """Returns the difference of two networks' log-odds of being right, by seed."""
    return trained("log_odds", dataset, of, training) - trained("log_odds", dataset, over, training)


def neighbours(dataset: str, column: str = "accuracy", *, training: str = "equal", k: int = 10) -> Value:
    """Returns the score of k nearest neighbours in pixel space, by seed."""
    return value(column, table="baselines", dataset=dataset, training=training, method="kNN", k=k)


def frozen_baseline(method: str, **where: int) -> Value:
    """Returns the score of a method without randomness on the frozen data."""
    return value("accuracy", table="baselines", unit=None, dataset="mnist1d", training="frozen", method=method, **where)


def embedded(column: str, dataset: str, training: str = "equal") -> Value:
    """Returns a number of the t-SNE picture, by seed."""
    return value(column, table="tsne", dataset=dataset, training=training)


def learned(dataset: str) -> Combined:
    """Returns the lead of the CNN over nearest neighbours in pixel space, in log-odds, by seed."""
    return trained("log_odds", dataset, "cnn") - neighbours(dataset, "log_odds")


def _exploratory(name: str, text: str, of: Combined | Unpaired | Value, *, above: float) -> Claim:
    return Claim(name=name, text=text, source="our own question", finding=Finding(of=of, above=above), exploratory=True)


CLAIMS = (
    Claim(
        name="tells models apart",
        text="MNIST-1D differentiates more clearly than MNIST between linear, nonlinear and convolutional models.",
        source=ABSTRACT,
        finding=(
            Finding(
                of=Unpaired(advantage("mlp", "logistic", "mnist1d"), advantage("mlp", "logistic", "mnist")), above=0.0
            ),
            Finding(of=Unpaired(advantage("cnn", "mlp", "mnist1d"), advantage("cnn", "mlp", "mnist")), above=0.0),
        ),
    ),
    Claim(
        name="MNIST does not",
        text="MNIST does a poor job of differentiating: its example, MLP and CNN, are within a point (both 99+ %).",
        source=BLOG,
        finding=Finding(
            of=trained("accuracy", "mnist", "cnn") - trained("accuracy", "mnist", "mlp"), above=-ALIKE, below=ALIKE
        ),
    ),
    Claim(
        name="logistic on MNIST",
        text="Logistic regression obtains 94 % on MNIST.",
        source=BLOG,
        number=Number(of=trained("accuracy", "mnist", "logistic", "whole"), published=0.94, rounding=0.005),
    ),
    Claim(
        name="MLP on MNIST",
        text="The MLP obtains more than 99 % on MNIST.",
        source=BLOG,
        finding=Finding(of=trained("accuracy", "mnist", "mlp", "whole"), above=0.99),
        needs=ALL_OF_MNIST,
    ),
    Claim(
        name="CNN on MNIST",
        text="The CNN obtains more than 99 % on MNIST.",
        source=BLOG,
        finding=Finding(of=trained("accuracy", "mnist", "cnn", "whole"), above=0.99),
        needs=ALL_OF_MNIST,
    ),
    Claim(
        name="20 times smaller",
        text="Training examples of MNIST-1D are 20 times smaller than those of MNIST.",
        source=ABSTRACT,
        number=Number(
            of=value("dimensions", table="sets", unit=None, dataset="mnist")
            / value("dimensions", table="sets", unit=None, dataset="mnist1d"),
            published=20,
            rounding=0.5,
        ),
    ),
    Claim(
        name="clusters",
        text="By t-SNE, MNIST has well-defined clusters, which MNIST-1D lacks: its neighbours share classes less.",
        source=CAPTION,
        finding=Finding(of=Unpaired(embedded("agreement", "mnist"), embedded("agreement", "mnist1d")), above=0.0),
    ),
    Claim(
        name="MNIST by neighbours",
        text="The majority of the examples of MNIST are separable by kNN in pixel space.",
        source=CAPTION,
        finding=Finding(of=neighbours("mnist"), above=0.5),
    ),
    Claim(
        name="representation",
        text="Learning a nonlinear representation matters much more on MNIST-1D: there the CNN gains more over kNN.",
        source=CAPTION,
        finding=Finding(of=Unpaired(learned("mnist1d"), learned("mnist")), above=0.0),
    ),
    Claim(
        name="kNN",
        text="Ten nearest neighbours in pixel space obtain 59.6 % on the frozen test split.",
        source=PROBE,
        number=Number(of=frozen_baseline("kNN", k=10), published=0.596, rounding=0.0005),
    ),
    Claim(
        name="linear probe",
        text="A linear probe of the pixels obtains 32.8 % on the frozen test split.",
        source=PROBE,
        number=Number(of=frozen_baseline("linear probe"), published=0.328, rounding=0.0005),
    ),
    Claim(
        name="divergence",
        text="The t-SNE of MNIST-1D ends at a Kullback-Leibler divergence of 2.5276.",
        source=NOTEBOOK,
        number=Number(of=embedded("kl", "mnist1d", "frozen"), published=2.5276, rounding=0.00005),
    ),
    Claim(
        name="divergence of MNIST",
        text="The t-SNE of MNIST ends at a Kullback-Leibler divergence of 2.8642.",
        source=NOTEBOOK,
        not_tested="it is the divergence at 70,000 images, and grows with their number; here both sets have the same n",
    ),
    # The same questions, where the source is silent.
    _exploratory(
        "MNIST-1D by neighbours",
        "By the same measure the majority of the examples of MNIST-1D are separable by kNN in pixel space too.",
        neighbours("mnist1d"),
        above=0.5,
    ),
    _exploratory(
        "CNN above MLP on MNIST",
        "MNIST tells a CNN from an MLP when n is small.",
        advantage("cnn", "mlp", "mnist"),
        above=0.0,
    ),
    _exploratory(
        "more than digits",
        "MNIST-1D tells a CNN from an MLP better than scikit-learn's digits do, at their n.",
        Unpaired(advantage("cnn", "mlp", "mnist1d", "small"), advantage("cnn", "mlp", "digits", "small")),
        above=0.0,
    ),
    _exploratory(
        "MLP on digits",
        "Scikit-learn's digits tell an MLP from logistic regression.",
        advantage("mlp", "logistic", "digits", "small"),
        above=0.0,
    ),
    _exploratory(
        "MLP on moons",
        "Two moons tell an MLP from logistic regression.",
        advantage("mlp", "logistic", "two_moons"),
        above=0.0,
    ),
    _exploratory(
        "MLP on make_classification",
        "make_classification tells an MLP from logistic regression.",
        advantage("mlp", "logistic", "make_classification"),
        above=0.0,
    ),
)

BANDS = (
    Band(name="kNN, k=10, frozen", of=frozen_baseline("kNN", k=10), low=0.595, high=0.597),
    Band(name="kNN, k=5, frozen", of=frozen_baseline("kNN", k=5), low=0.5995, high=0.6005),
    Band(name="kNN, k=1, frozen", of=frozen_baseline("kNN", k=1), low=0.5665, high=0.5675),
    Band(name="linear probe, frozen", of=frozen_baseline("linear probe"), low=0.328, high=0.333),
    Band(name="t-SNE of MNIST, neighbours of the same class", of=embedded("agreement", "mnist"), low=0.93, high=1),
    Band(
        name="t-SNE of MNIST-1D, neighbours of the same class",
        of=embedded("agreement", "mnist1d", "frozen"),
        low=0,
        high=0.65,
    ),
)
