"""MNIST-1D once more, one signal and one point at a time, written from the published description.

It shares no code with the product and does not try to be fast, so that the two can only agree by both being right. The
random numbers come from numpy's legacy generator, one call per draw, in the order in which the description lists them.
"""

import math

import numpy as np

HEIGHTS = """
0: 5 6 6.5 6.75 7 7 7 7 6.75 6.5 6 5
1: 5 3 3 3.4 3.8 4.2 4.6 5 5.4 5.8 5 5
2: 5 6 6.5 6.5 6 5.25 4.75 4 3.5 3.5 4 5
3: 5 6 6.5 6.5 6 5 5 6 6.5 6.5 6 5
4: 5 4.4 3.8 3.2 2.6 2.6 5 5 5 5 5 5
5: 5 3 3 3 3 5 6 6.5 6.5 6 4.5 5
6: 5 4 3.5 3.25 3 3 3 3 3.25 3.5 4 5
7: 5 7 7 6.6 6.2 5.8 5.4 5 4.6 4.2 5 5
8: 5 4 3.5 3.5 4 5 5 4 3.5 3.5 4 5
9: 5 4 3.5 3.5 4 5 5 5 5 4.7 4.3 5
"""


def templates():
    """The curves as lists, and the positions of their points."""
    curves = []
    for line in HEIGHTS.strip().splitlines():
        heights = [float(height) for height in line.split(":")[1].split()]
        mean = sum(heights) / len(heights)
        std = math.sqrt(sum((height - mean) ** 2 for height in heights) / len(heights))
        curve = [(height - mean) / std for height in heights]
        curves.append([(height - curve[0]) / 6 for height in curve])
    return curves, [(-5 + 10 * point / 11) / 6 for point in range(12)]


def interpolate(signal, length):
    """Piecewise linear interpolation at equidistant positions, ends included."""
    source, target = np.linspace(0, 1, len(signal)), np.linspace(0, 1, length)
    out, left = [], 0
    for position in target:
        while left + 1 < len(signal) - 1 and source[left + 1] <= position:
            left += 1
        if len(signal) == 1 or position == source[left]:
            out.append(signal[left])
        elif position == source[left + 1]:
            out.append(signal[left + 1])
        else:
            slope = (signal[left + 1] - signal[left]) / (source[left + 1] - source[left])
            out.append(slope * (position - source[left]) + signal[left])
    return [float(value) for value in out]


def smooth(noise):
    """Gaussian filter of standard deviation 2, cut off at 8 points; mirrored at the edges, the edge point included."""
    weights = [math.exp(-(offset**2) / 8) for offset in range(-8, 9)]
    total = sum(weights)

    def mirrored(index):
        while not 0 <= index < len(noise):
            index = -index - 1 if index < 0 else 2 * len(noise) - 1 - index
        return noise[index]

    return [
        sum(weight / total * mirrored(centre + offset) for weight, offset in zip(weights, range(-8, 9), strict=True))
        for centre in range(len(noise))
    ]


def rotate(signal, shift):
    """The last ``shift`` points come first; Python's slices make nothing of shifts of the length and more."""
    return signal[-shift:] + signal[:-shift]


def example(curve, recipe, random):
    """The signal after every stage, by the stage's name, and what was drawn for it."""
    low, high = recipe["padding"]
    length = recipe["template_len"] + high
    stages, drawn = {}, {}

    drawn["padding"] = low + int(random.rand() * (high - low + 1))
    signal = stages["pad"] = [height + 1e-8 for height in curve] + [0.0] * drawn["padding"]
    signal = stages["dilate"] = interpolate(signal, length)
    drawn["scale"] = 1 + recipe["scale_coeff"] * (random.rand() - 0.5)
    signal = stages["scale"] = [value * drawn["scale"] for value in signal]
    drawn["shift"] = int(random.choice(recipe["max_translation"]))
    signal = stages["translate"] = rotate(signal, drawn["shift"])
    background = smooth([recipe["corr_noise_scale"] * z for z in random.randn(length)])
    signal = stages["correlated noise"] = [
        value if value != 0 else behind for value, behind in zip(signal, background, strict=True)
    ]
    hiss = random.randn(length)
    signal = stages["iid noise"] = [
        value + recipe["iid_noise_scale"] * z for value, z in zip(signal, hiss, strict=True)
    ]
    drawn["shear"] = recipe["shear_scale"] * (random.rand() - 0.5)
    ramp = np.linspace(-0.5, 0.5, length)
    signal = stages["shear"] = [value - drawn["shear"] * rise for value, rise in zip(signal, ramp, strict=True)]
    stages["resample"] = interpolate(signal, recipe["final_seq_length"])
    return stages, drawn


def make(recipe, curves=None, positions=None):
    """The data set of a recipe given as a dictionary: arrays x, y, y_clean, t, split and lists of stages and draws."""
    if curves is None:
        curves, positions = templates()
    random = np.random.RandomState(recipe["seed"])
    examples = []
    for label, curve in enumerate(curves):
        for _ in range(recipe["num_samples"] // len(curves)):
            examples.append((label, *example(curve, recipe, random)))
    examples = [examples[row] for row in random.permutation(len(examples))]
    signals = [stages["resample"] for _, stages, _ in examples]
    if recipe["shuffle_seq"]:
        order = random.permutation(recipe["final_seq_length"])
        signals = [[signal[point] for point in order] for signal in signals]
    values = [value for signal in signals for value in signal]
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    if std < 1e-6:
        return {"std": std}  # flat signals have no normalised form
    x = np.array([[(value - mean) / std for value in signal] for signal in signals])
    if recipe["flip_seq"]:
        x = np.array([row[::-1] for row in x])
    y_clean = [label for label, _, _ in examples]
    split = int(len(y_clean) * recipe["train_split"])
    t = interpolate(interpolate(positions, recipe["template_len"] + recipe["padding"][1]), recipe["final_seq_length"])
    return {
        "x": x,
        "y": np.array(noisy(y_clean, split, recipe)),
        "y_clean": np.array(y_clean),
        "t": np.array(t) / std,
        "split": split,
        "std": std,
        "stages": [stages for _, stages, _ in examples],
        "draws": [draws for _, _, draws in examples],
    }


def noisy(labels, split, recipe):
    """Labels of which those before ``split`` are each replaced, with some probability, by a uniform one of ten."""
    random = np.random.RandomState(recipe["label_noise_seed"])
    replaced = [random.rand() < recipe["label_noise"] for _ in range(split)]
    digits = [int(10 * random.rand()) for _ in range(split)]
    replacements = [digit if hit else label for label, hit, digit in zip(labels[:split], replaced, digits, strict=True)]
    return replacements + labels[split:]
