# %% [markdown]
# # How well does a network read MNIST-1D, and how much of that is spatial structure?
#
# An MNIST-1D signal is 40 numbers in a row. A linear classifier gets a third of them right, a convolutional network
# nearly all. The source of the data set says why: a convolution *knows* that neighbouring points belong together.
#
# There is a simple way to check such an explanation. Put the 40 points of every signal into another order, the same
# order for all signals. No information is lost: whoever knows the order can undo it. What is lost is the
# neighbourhood. If a network's lead comes from neighbourhoods, the lead has to go.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) reports these test accuracies, in percent:
#
# | | points in order | points shuffled |
# |---|---|---|
# | logistic regression | 32 | 32 |
# | MLP | 68 | 68 |
# | CNN | 94 | 56 |
# | GRU | 91 | 57 |
# | a person | 96 | about 30 |

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
from IPython.display import display

from lightning_module import Replica
from lightning_module.studies import STUDIES, committed_result, frozen, train, verdict_table
from mnist1d_hf.plot import plot_signals

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Look at it
#
# The first ten training signals. Each stands upright, position downwards and amplitude to the right, so that the
# digit can be seen in it. Then the same ten with their points in another order. Could you still read them?

# %%
data = frozen()  # the 4,000 training and 1,000 test signals of 2020
order = np.random.default_rng(0).permutation(40)
plot_signals(data.train.x[:10], data.train.y[:10])

# %%
plot_signals(data.train.x[:10][:, order], data.train.y[:10])

# %% [markdown]
# ## Try it
#
# `train` trains many copies of a network at once. Each `Replica` has its own start (its seed), and its order of the
# points. The training is short, so that it takes seconds; the accuracies are lower than the published ones.

# %%
STEPS = 600  # of gradient descent; 6000 in the source

curves = {}
for network in ("mlp", "cnn"):
    for name, points in {"in order": range(40), "shuffled": order}.items():
        replicas = [Replica(seed=seed, points=points) for seed in range(3)]
        trained = train(network, replicas, data.train, steps=STEPS, evaluate={"test": data.test}, every=100)
        curves[f"{network}, {name}"] = pd.DataFrame(trained.rows()).groupby("step").accuracy.mean()

axes = pd.DataFrame(curves).plot(style=["o-", "o:", "s-", "s:"], figsize=(7, 4), ylim=(0, 1))
axes.set(xlabel="step", ylabel="test accuracy, mean of 3 seeds")
axes.grid(alpha=0.3)

# %% [markdown]
# The MLP does not care: it gives every point its own weights, and it is all the same to it which point comes first.
# The CNN falls to where the MLP is, or below.
#
# **Change it.**
# - What if only a *few* points change places? Replace `order` by one that swaps blocks of ten: `np.r_[20:30, 30:40,
#   0:10, 10:20]`.
# - What if all signals are merely turned around, `order = range(39, -1, -1)`? Say beforehand what you expect.
# - Add `"gru"` and `"logistic"` to the networks.

# %% [markdown]
# ## The study
#
# Three seeds and one permutation are an impression, not a result. The study has ten seeds in two arms: in the
# *frozen* arm all use the data of 2020 and differ in their start only, in the *fresh* arm each seed has data of its
# own as well. Each statement of the source was written down as a rule before anything was run. The rule gives the
# verdict, not us.

# %%
study = STUDIES["benchmark"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# *Contrast* is what decides, with its 95 % interval: for "the CNN does worse when shuffled" the accuracy in order
# minus the accuracy shuffled, seed by seed. *Needed* is where the whole interval has to lie. Two questions for the
# class:
#
# - The published numbers are the best of many evaluations on the *test* set. Why is that too good, and for which
#   network is it the most? (Look at the hollow marks of the figure.)
# - Why has the MLP a different accuracy after shuffling at all, if it is blind to the order?
#
# Whether the published numbers themselves come out again is another question than whether the statements hold:

# %%
display(verdicts.loc[verdicts.published != "-", ["published", "ours", "number"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds and only shows that everything works: after 60 steps no network can read. "quick" takes
# minutes and has three seeds. "paper" is the published protocol. A run that was interrupted goes on where it was.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)

# %% [markdown]
# `verdict_table(study, result)` judges this run by the same rules. Behind the figure are tables with one observation
# a row, so that a question is a line of pandas:

# %%
last = result.rows.query("step == step.max() and on == 'fresh test' and arm == 'frozen'")
last.pivot_table(values="accuracy", index="network", columns="points").round(2)
