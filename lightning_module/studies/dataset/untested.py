"""What the sources say in passing and no run here can decide, each with the reason and where the nearest result is."""

from typing import Final

from lightning_module.studies.framework.claims import Claim

BLOG: Final = "Greydanus 2020"
OTHERS: Final = f"{BLOG}, other small datasets"
PAPER: Final = "Greydanus & Kobak 2024"
README: Final = "README"

OFFLINE: Final = "its images cannot be had without a download; the study comparison takes them from the Hub or a file"
JUDGEMENT: Final = "it is a judgement, and no measurement"
ELSEWHERE: Final = "it is promised of a GPU; the table of run times has what our larger protocol took on CPU cores"


def _untested(name: str, text: str, source: str, reason: str) -> Claim:
    return Claim(name=name, text=text, source=source, not_tested=reason)


UNTESTED: Final = (
    _untested(
        "time-lottery",
        "Finding and analysing lottery tickets takes about 30 minutes on a GPU.",
        f"{PAPER}, section 5.1 and figure 4",
        ELSEWHERE,
    ),
    _untested(
        "time-double-descent",
        "Double descent takes about 30 minutes on a GPU.",
        f"{PAPER}, section 5.2 and figure 5",
        ELSEWHERE,
    ),
    _untested(
        "time-on-mnist",
        "With MNIST or CIFAR the same experiments take several GPU hours or even days.",
        f"{PAPER}, section 1",
        "nobody ran them there, the sources neither",
    ),
    _untested(
        "mnist-in-a-minute",
        "Training a strong classifier on MNIST takes less than a minute; a few minutes, says the paper.",
        f"{BLOG}, introduction; {PAPER}, section 1",
        "it is about MNIST's 60,000 images and a machine of which nothing is said",
    ),
    _untested(
        "shuffling-costs-35-points",
        "CNN and GRU lose about 35 points of accuracy by shuffling, logistic regression and MLP about nothing.",
        f"{PAPER}, section 4",
        "it is not tested twice: the losses are the contrasts of cnn and gru in the study benchmark, and those of "
        "shuffled-logistic and mlp-order",
    ),
    _untested(
        "spread-of-three-runs",
        "Three runs of a network spread by 1 to 2 points (standard deviation).",
        f"{PAPER}, table 1",
        "a spread of three runs has an interval from half to six times itself; the study benchmark shows that of ten",
    ),
    _untested(
        "mnist-all-above-90",
        "On MNIST linear classifiers, MLPs and CNNs all obtain more than 90 %.",
        f"{PAPER}, section 1",
        "it is said of 60,000 images; the study comparison has all three networks at the n of MNIST-1D",
    ),
    _untested(
        "mnist-gru-and-human",
        "On MNIST a GRU and a human obtain more than 99 %.",
        f"README and {PAPER}, table 1",
        "no data or network for it were published, and the second needs a person",
    ),
    _untested(
        "cifar10-tells-apart",
        "CIFAR-10 discriminates better than MNIST between MLP and CNN, and between a plain CNN and a ResNet.",
        f"{OTHERS}; {PAPER}, section 2",
        OFFLINE,
    ),
    _untested(
        "fashion-harder", "FashionMNIST is a bit more difficult than MNIST.", f"{OTHERS}; {PAPER}, section 2", OFFLINE
    ),
    _untested(
        "neighbours-of-natural-images",
        "Nearest neighbours in pixel space mean nothing in CIFAR-10 and CIFAR-100 either.",
        f"{PAPER}, section 4",
        OFFLINE,
    ),
    _untested(
        "no-analogy-in-sklearn",
        "With scikit-learn's data sets an analogy to, say, digit classification is not possible.",
        OTHERS,
        f"{JUDGEMENT}; but one of them is handwritten digits, which the study comparison trains on",
    ),
    _untested(
        "not-complex-enough",
        "Scikit-learn's toy data sets are not complex enough for deep learning; MNIST-1D is more interesting.",
        f"{PAPER}, section 2; {README}",
        f"{JUDGEMENT}; the study comparison says which of them tell an MLP from logistic regression",
    ),
    _untested(
        "any-number-of-samples",
        "The number of samples can be arbitrarily large.",
        f"{PAPER}, section 1",
        "no run reaches the end of that; the fast stream makes any rows of up to a million million",
    ),
    _untested(
        "150-lines",
        "The code that generates the data set fits into two files and 150 lines.",
        f"{PAPER}, section 3",
        "it is about code that is not part of this package",
    ),
    _untested(
        "few-dozen-lines",
        "Metalearning a learning rate occupies a few dozen lines of code.",
        f"{BLOG}, metalearning a learning rate",
        "it is about code that is not part of this package",
    ),
    _untested(
        "days-of-work",
        "The experiments took hours to two days of researcher time.",
        BLOG,
        "the hours of the sources' authors cannot be measured again",
    ),
    _untested(
        "resembles-swish",
        "The learned activation function resembles Swish, but for a positive regime between -4 and -1.",
        README,
        "resemblance has no margin; the bump left of 0 is part of the claim shape in the study activation",
    ),
    _untested(
        "peak-at-50-units",
        "The test error of the MLP peaks at about 50 hidden units.",
        f"{PAPER}, figure 5",
        "its notebook was replaced by one with other widths and data, which the study double-descent follows",
    ),
    _untested(
        "threshold-hard-to-predict",
        "The threshold is easy to predict for fully connected networks, less easy for CNNs, whose peak is much less "
        "pronounced.",
        f"{BLOG}, on double descent, caption",
        "neither 'easy' nor 'much less' has a margin; the study double-descent has both thresholds and peaks",
    ),
    _untested(
        "not-on-the-petri-dish",
        "On the Synthetic Petri Dish a human cannot outperform a network.",
        f"{PAPER}, section 2",
        "it is about another data set, and needs a person",
    ),
)
