"""What the notebooks of "Understanding Deep Learning" on MNIST-1D do with the package, told by what comes out.

    python textbook.py PACKAGE OUT.npz

PACKAGE is "reference" or "compat". Each chapter calls the package as its notebook does, then draws what the notebook
draws. Written are all arrays, and the global random state at the end of each chapter.
"""

import os
import random
import sys
from pathlib import Path

import numpy as np

if sys.argv[1] == "compat":
    from mnist1d_hf import compat

    compat.install()

import mnist1d
import mnist1d.data
from mnist1d.data import get_dataset_args, make_dataset
from mnist1d.transform import corr_noise_like, iid_noise_like, interpolate, pad, shear, translate
from mnist1d.utils import ObjectView, from_pickle, set_seed, to_pickle


def usual():
    """The call of chapters 8.1, 9.5, 10.2, 11.2, 11.3, 20.1 and 20.2: the first of them builds, the others load."""
    args = mnist1d.data.get_dataset_args()
    return mnist1d.data.get_dataset(args, path="./mnist1d_data.pkl", download=False, regenerate=False)


def chapter_8_1():
    data = usual()
    return {"train_x": data["x"].transpose(), "train_y": data["y"], "after": np.random.rand(3)}


def chapter_8_3():
    random.seed(0)
    args = mnist1d.data.get_dataset_args()
    args.num_samples = 8000
    args.train_split = 0.5
    args.corr_noise_scale = 0.25
    args.iid_noise_scale = 2e-2
    data = mnist1d.data.get_dataset(args, path="./noisy.pkl", download=False, regenerate=True)
    for row in range(len(data["y"])):
        if random.random() < 0.15:
            data["y"][row] = int(random.random() * 10)
    return data


def chapter_9_5():
    set_seed(3)  # of a student who wants the same augmentation after a load
    data = usual()
    rows = [random.randint(0, len(data["x"]) - 1) for _ in range(200)]
    shifted = np.stack([np.roll(data["x"][row], np.random.randint(40)) for row in rows])
    return {"x": shifted * np.random.uniform(0.8, 1.2, (200, 1)), "y": data["y"][rows]}


def chapter_10_2():
    data = usual()
    return {"x": data["x"][:, None, :], "x_test": data["x_test"][:, None, :], "t": data["t"]}


def chapter_11():
    data = from_pickle("./mnist1d_data.pkl")  # what chapter 8.1 left
    subset = np.random.RandomState(0).permutation(len(data["y"]))[:500]
    return {"x": data["x"][subset], "y": data["y"][subset], "y_test": data["y_test"]}


def chapter_20_1():
    args = get_dataset_args()
    args.num_samples = 1000
    data = make_dataset(args)
    randomised = data["x"].mean() + data["x"].std() * np.random.standard_normal(data["x"].shape)
    return {"x": randomised, "y": data["y"][np.random.permutation(len(data["y"]))]}


def chapter_20_2():
    args = ObjectView(mnist1d.get_dataset_args(as_dict=True))
    args.__dict__.update(num_samples=500, shuffle_seq=True, seed=43)
    data = mnist1d.get_dataset(args, path="./full_batch.pkl", verbose=False, download=False)
    return {**data, "labels": np.array([random.randrange(10) for _ in range(50)])}


def chapter_20_3():
    to_pickle(make_dataset(), "./mnist1d_data.pkl")  # stands in for the download
    set_seed(5)
    data = mnist1d.get_dataset(args=mnist1d.get_dataset_args())
    stats = {"losses": [1.5, 0.25], "accuracies": np.linspace(0, 1, 4), "steps": (1, 2), "best": None}
    to_pickle(stats, path="stats.pkl")
    stats = from_pickle("stats.pkl")
    return {**data, "losses": np.array(stats["losses"]), "accuracies": stats["accuracies"], "after": np.random.rand(2)}


def by_hand():
    """The signal stage by stage, as the package's own notebook on the construction does it."""
    templates, args = mnist1d.get_templates(), mnist1d.get_dataset_args()
    set_seed(4)
    curve = interpolate(pad(templates["x"][2] + 1e-8, args.padding), 72)
    moved = translate(curve, args.max_translation)
    noisy = moved + corr_noise_like(moved, 0.25) + iid_noise_like(moved, 0.02)
    whole, positions = mnist1d.transform(templates["x"][5], templates["t"], args)
    square = np.random.standard_normal((9, 9))
    stages = {"curve": curve, "moved": moved, "noisy": noisy, "sheared": shear(noisy), "whole": whole, "t": positions}
    return stages | {
        "columns": translate(square, 9),
        "surface": corr_noise_like(square, 2.0),
        "slope": shear(square, 0.5),
        "rows": pad(square, (1, 8)),
    }


CHAPTERS = [chapter_8_1, chapter_8_3, chapter_9_5, chapter_10_2, chapter_11]
CHAPTERS += [chapter_20_1, chapter_20_2, chapter_20_3, by_hand]


def main():
    written = {}
    for chapter in CHAPTERS:
        folder = "20_3" if chapter is chapter_20_3 else "notebooks"  # the chapters that share a cache
        Path(folder).mkdir(exist_ok=True)
        os.chdir(folder)
        arrays = chapter()
        os.chdir("..")
        templates = arrays.pop("templates", {})
        arrays |= {f"templates_{name}": array for name, array in templates.items()}
        _, words, *rest = np.random.get_state()
        _, python, cached = random.getstate()
        arrays["numpy_state"] = np.array([*words.tolist(), *rest])
        arrays["python_state"] = np.array([*python, cached or 0.0])
        written |= {f"{chapter.__name__}/{name}": np.ascontiguousarray(array) for name, array in arrays.items()}
    np.savez(sys.argv[2], **written)


if __name__ == "__main__":
    main()
