"""What the sources say, sentence by sentence, and where it is put to the test: nothing is left out of the report.

Each entry is what is said, in a few words, and the claims or regression bands that are about it.
"""

import pytest

from lightning_module.studies import STUDIES, Claim

# The post of December 2020, in its order.
BLOG = {
    "logistic, MLP and CNN obtain 94, 99+ and 99+ % on MNIST": (
        "comparison",
        "logistic on MNIST",
        "MLP on MNIST",
        "CNN on MNIST",
    ),
    "MNIST does a poor job of differentiating": ("comparison", "MNIST does not"),
    "training on MNIST takes less than a minute": ("dataset", "mnist-in-a-minute"),
    "MNIST is somewhat large": ("dataset", "smaller-is-faster", "less-memory"),
    "a procedure smoothly varies noise, translation, resolution": ("recipe-sweep", "smoothly-varied"),
    "20 times smaller": ("dataset", "smaller-in-numbers", "smaller-in-bytes"),
    "better at telling linear, nonlinear and spatial models apart": ("comparison", "tells models apart"),
    "humans do best of all": ("benchmark", "human"),
    "t-SNE: clusters in MNIST, none in MNIST-1D": ("comparison", "clusters", "divergence", "divergence of MNIST"),
    "most of MNIST is separable by kNN": ("comparison", "MNIST by neighbours", "kNN"),
    "a nonlinear representation matters more": ("comparison", "representation"),
    "ten or a hundred times more parameters than necessary": (
        "lottery",
        "ten-times-too-many",
        "hundred-times-too-many",
    ),
    "lottery a, b": ("lottery", "ticket-beats-dense", "ticket-beats-random"),
    "lottery c": ("lottery", "new-data"),
    "lottery d": ("lottery", "flipped"),
    "lottery e": ("lottery", "permuting-hurts-more", "advantage-lost"),
    "lottery f": ("lottery", "reinitialised", "frankle-carbin"),
    "lottery g": ("lottery", "adjacent", "spatial-prior"),
    "lottery masks": ("lottery", "adjacent-beside-random"),
    "lottery in a few minutes": ("lottery", "an-hour"),
    "more data, parameters or steps can reduce accuracy": (
        "double-descent",
        "more-data-hurts",
        "mlp-descends-twice",
        "more-steps-hurt",
    ),
    "a threshold where the training set is just fitted": ("double-descent", "peak-at-interpolation"),
    "sensitive to label noise there": ("double-descent", "sensitive-to-noise"),
    "with MSE at n K": (
        "thresholds",
        "squared-error-at-nk",
        "squared-error-grows-with-n",
        "squared-error-grows-with-k",
    ),
    "with NLL at n, whatever K": (
        "thresholds",
        "likelihood-at-n",
        "likelihood-grows-with-n",
        "likelihood-not-with-k",
        "k-times-larger",
    ),
    "explains an advantage of NLL": ("thresholds", "explains-an-advantage"),
    "the figure of 2020": ("double-descent", "peak-of-2020", "bump-of-2020", "loss-of-2020"),
    "thresholds of CNNs are less easy to predict, and less pronounced": ("dataset", "threshold-hard-to-predict"),
    "the optimal learning rate appears to be 0.6": ("learning-rate", "blog-value", "converge", "optimal"),
    "metalearning it takes seconds": ("dataset", "time-learning-rate-seconds"),
    "and a few dozen lines": ("dataset", "few-dozen-lines"),
    "hours or days of researcher time": ("dataset", "days-of-work"),
    "the learned function outperforms ReLU, ELU and Swish": ("activation", "above-relu", "above-elu", "above-swish"),
    "it transfers to the middle of the pack": ("activation", "mnist-middle", "cifar10-middle"),
    "with low training loss early": ("activation", "mnist-early", "cifar10-early"),
    "moderate priors between MLP and CNN": ("priors", "moderate-prior-between"),
    "pooling helps with little data": ("pooling", "helps-with-little-data"),
    "and makes not much of a difference with much": ("pooling", "no-difference-with-much-data"),
    "or hinders": ("pooling", "hinders-with-much-data", "restricts-expression"),
    "max pooling worse than L2 with much data": ("pooling", "max-loses-to-l2"),
    "CIFAR-10's examples are four times larger": ("dataset", "cifar10-four-times"),
    "and as many": ("dataset", "cifar10-as-many"),
    "CIFAR-10 tells MLP, CNN and ResNet apart": ("dataset", "cifar10-tells-apart"),
    "FashionMNIST is as large and more difficult": ("dataset", "fashion-as-large", "fashion-harder"),
    "scikit-learn's sets have no analogy to digits": ("dataset", "no-analogy-in-sklearn"),
    "and are solved by linear or kernel methods": ("dataset", "simple-methods-suffice"),
}

# The paper of 2024, what it says beyond the post.
PAPER = {
    "table 1": ("benchmark", "logistic", "mlp", "cnn", "gru", "shuffled-logistic", "shuffled-cnn", "shuffled-gru"),
    "table 1, MNIST": ("dataset", "mnist-gru-and-human", "mnist-all-above-90"),
    "table 1, spread of three runs": ("dataset", "spread-of-three-runs"),
    "all but logistic regression fit perfectly": ("benchmark", "perfect-training"),
    "a human reads 30 % of shuffled signals": ("benchmark", "human-shuffled"),
    "4,000 and 1,000 signals": ("dataset", "default-size"),
    "table 2": ("dataset", "parameters", "padding", "translation"),
    "any number of samples": ("dataset", "any-number-of-samples", "ten-thousand"),
    "hours or days on MNIST": ("dataset", "time-on-mnist"),
    "none is substantially smaller": ("dataset", "none-smaller"),
    "point clouds, not complex enough": ("dataset", "point-clouds", "not-complex-enough"),
    "two orders of magnitude": ("dataset", "two-orders-in-numbers", "two-orders-in-bytes"),
    "the Petri dish": ("dataset", "not-on-the-petri-dish"),
    "150 lines": ("dataset", "150-lines"),
    "10 minutes": ("dataset", "time-classification"),
    "MLP below CNN and GRU, best after shuffling": ("benchmark", "shuffled-mlp", "cnn-above-gru"),
    "35 points by shuffling": ("dataset", "shuffling-costs-35-points"),
    "similar errors by digit": ("dataset", "similar-digits"),
    "neighbours are not meaningful": ("dataset", "neighbours-mean-nothing", "neighbours-of-natural-images"),
    "better than dense above 95 % sparsity": ("lottery", "where-it-ends"),
    "30 minutes, lottery": ("dataset", "time-lottery"),
    "30 minutes, double descent": ("dataset", "time-double-descent"),
    "peak at 50 units": ("dataset", "peak-at-50-units"),
    "1 minute, learning rate": ("dataset", "time-learning-rate"),
    "0.62 from both starts": ("learning-rate", "converge"),
    "more than five points over ReLU": ("activation", "five-points"),
    "two local extrema": ("activation", "shape"),
    "1 hour, activation": ("dataset", "time-activation"),
    "33 % in pixel space": ("self-supervision", "pixels"),
    "82 % before the head": ("self-supervision", "before-the-head"),
    "1 minute, SimCLR": ("dataset", "time-self-supervision"),
    "5 minutes, SimCLR": ("dataset", "time-three-encoders"),
    "clusters 0, 3, 6, 8": ("self-supervision", "isolated-digits"),
    "trained on both splits": ("self-supervision", "trained-on-test-signals"),
    "highest after the second layer, always in the middle": ("self-supervision", "second-layer", "peaks-in-the-middle"),
    "similar quality with other heads": ("self-supervision", "similar-quality"),
    "pooling, not striding": ("pooling", "striding-does-not", "better-than-striding"),
    "5 minutes, pooling": ("dataset", "time-pooling"),
    "minutes, often on a CPU": ("dataset", "within-minutes"),
    # The README.
    "the GRU takes ten times as long": ("dataset", "gru-ten-times-the-cnn"),
    "generation matches the file": ("dataset", "as-published"),
    "resembles Swish": ("dataset", "resembles-swish"),
    "the advantage of pooling diminishes": ("pooling", "advantage-diminishes"),
}

# What can be checked of the notebooks' stored outputs, by experiment.
PROTOCOLS = {
    "a": ("dataset", "as-published", "arrays as published", "offset", "slope"),
    "b, levels": ("benchmark", "logistic, frozen", "MLP, frozen", "CNN, frozen", "GRU, frozen", "cnn-best-evaluation"),
    "b, differences": ("benchmark", "CNN minus MLP, frozen", "MLP minus logistic, frozen"),
    "b, shuffled": ("benchmark", "CNN shuffled, frozen", "GRU shuffled, frozen", "MLP shuffled, frozen"),
    "b, what shuffling costs": ("benchmark", "shuffled-logistic", "mlp-order", "CNN's drop by shuffling, frozen"),
    "b, human": ("benchmark", "human", "easy-digits"),
    "c": ("comparison", "kNN", "linear probe", "kNN, k=1, frozen", "t-SNE of MNIST, neighbours of the same class"),
    "d, sparsities": ("lottery", "ticket, 80 to 93 %", "ticket minus random, 91 to 93 %", "where-it-ends"),
    "d, conditions": ("lottery", "ticket minus dense on new data", "ticket minus dense, flipped", "halves"),
    "d, reinitialised": ("lottery", "ticket minus dense, other initial weights", "own-weights-matter"),
    "d, runs": ("lottery", "runs of 3 over chance", "runs-of-3", "runs-of-4", "runs-of-4-2020"),
    "d, honest note": ("lottery", "flipped-unseeded", "permuting-hurts-more-unseeded"),
    "e, MLP": ("double-descent", "noisy MLP, peak", "peak-where-tenth-is-misfit", "mlp-threshold-at-n"),
    "e, clean": ("double-descent", "no-error-peak-without-noise", "loss-peak-without-noise"),
    "e, CNN": ("double-descent", "noisy CNN, peak", "cnn-descends-twice", "cnn-ends-above-its-valley"),
    "e, MSE": ("thresholds", "k-times-larger"),
    "f": ("learning-rate", "digits-1.5-step-0", "digits-0.15-step-48", "difference of the two starts, seed 0, frozen"),
    "g": ("activation", "objective at outer step 150, seed 0", "five-points", "ranking", "shape", "piecewise"),
    "g, losses": ("activation", "mean loss of ReLU, frozen", "equal-windows"),
    "h": ("pooling", "best of three pools minus none, 1,000 training signals, as published", "ordered"),
    "h, stride": ("pooling", "striding-is-nowhere-better"),
    "i": ("self-supervision", "best layer minus output, no head, frozen", "last convolution, two layers, frozen"),
    "j": ("dataset", "time-classification", "time-lottery"),
}

# Numbers that the sources print, a few of each study: some claim is about each of them.
NUMBERS = {
    "benchmark": (0.32, 0.68, 0.94, 0.91, 0.56, 0.57, 0.958),
    "pooling": (0.592, 0.574, 0.782, 0.780, 0.772, 0.963, 0.981, 0.588, 0.796),
    "self-supervision": (0.33, 0.82, 0.751, 0.822, 0.759, 0.741, 2.88, 3.39, 2.87),
    "comparison": (0.94, 0.596, 0.328, 2.5276),
    "dataset": (20, 4000, 48, 4, 0.3, 0.04, 0.79),
    "learning-rate": (0.62, 1.716, 0.6, 1.4645, 0.3918, 0.6243, 0.6203),
    "activation": (1.352, 1.314, 1.284, 1.252, 0.8842, 0.684, 0.588, 0.578, 0.508, 0.506, 0.438, 0.348, 0.664),
    "double-descent": (0.685, 0.41, 0.3725, 0.5405, 0.472, 0.455, 0.1964, 0.338, 0.2766, 4.42, 9700, 1.7),
    "thresholds": (1.0,),
    "lottery": (0.0705, 0.0415, 0.033, 0.0175, -0.0175, 0.0086, 0.00215, 0.72, 0.707, 0.672, 0.621, 0.455, 0.732),
}


@pytest.mark.parametrize("source", [BLOG, PAPER, PROTOCOLS], ids=["blog", "paper", "protocols"])
def test_every_statement_is_a_claim_or_a_band(source):
    for said, (name, *places) in source.items():
        study = STUDIES[name]
        known = {claim.name for claim in study.claims} | {band.name for band in study.bands}
        assert places, said
        assert set(places) <= known, (said, set(places) - known)


def test_no_statement_of_the_sources_comes_from_nowhere():
    """Every claim that is put to the test for its own sake stands in the lists above: they are complete both ways."""
    listed = {
        (name, place) for source in (BLOG, PAPER, PROTOCOLS) for name, *places in source.values() for place in places
    }
    own = {
        (name, claim.name)
        for name, study in STUDIES.items()
        for claim in study.claims
        if claim.findings and not claim.exploratory and claim.source != Claim.source  # the default: nobody states it
    }
    assert own - listed == REPEATED


# Parts of what is listed: other digits of the same trace, the same in another arm or of another baseline.
REPEATED = {
    ("learning-rate", "loss-falls"),
    ("activation", "objective-falls"),
    ("activation", "learned-accuracy"),
    ("activation", "above-tanh"),
    ("activation", "above-softplus"),
    ("activation", "above-sigmoid"),
    ("double-descent", "cnn-threshold-at-n"),
    ("double-descent", "mlp-ends-below-its-valley"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_published_numbers_are_compared(name):
    compared = [claim.number.published for claim in STUDIES[name].claims if claim.number]
    for number in NUMBERS[name]:
        assert any(each == pytest.approx(number, abs=1e-9) for each in compared), number


def test_no_study_with_published_numbers_is_left_out():
    compared = {name for name, study in STUDIES.items() if any(claim.number for claim in study.claims)}
    assert set(NUMBERS) == compared, "give NUMBERS some of those that the source of the study prints"
