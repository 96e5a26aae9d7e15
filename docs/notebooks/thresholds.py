# %% [markdown]
# # How many parameters does it take to memorise a data set?
#
# A network with enough parameters fits any training set, even one with random labels. From how many on? One equation
# for each number that has to come out, one parameter for each equation, says a rule of thumb. But what has to come
# out?
#
# **The source** (Greydanus 2020, a remark on double descent) says that it depends on the loss.
#
# - With a *squared error* ten outputs for each of n signals have to be 0 or 1: n times K numbers, so about **n K**
#   parameters for K classes.
# - With a *log likelihood* it is enough that the right class is ahead: one condition for each signal, about **n**
#   parameters.
#
# The remark was repeated in a README and later removed; neither data nor code are left. So nobody has shown that it
# is true, or that it is false. That is a study worth doing.

# %%
# %matplotlib inline

import pandas as pd
from IPython.display import display

from lightning_module import Examples, Replica, noisy_labels
from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Try it
#
# 100 signals, networks with one hidden layer, 15 % of the labels drawn anew so that memorising is needed. Two losses,
# and the part of the training set that each size cannot fit.

# %%
SIGNALS = 100
STEPS = 800
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # 51 parameters each, and 10

data = fresh(0, num_samples=SIGNALS, train_split=1.0, tests=100)
noisy = Examples(data.train.x, noisy_labels(data.train.y, 0.15, seed=0))


def one_hidden_layer(width):
    """40 points, `width` hidden units, 10 classes: 51 * width + 10 parameters."""
    return HiddenLayers(width, depth=1)


rows = []
for loss in ("cross_entropy", "mse"):
    replicas = [Replica(seed=seed, width=width, lr=0.02) for width in WIDTHS for seed in range(2)]
    trained = train(one_hidden_layer, replicas, noisy, steps=STEPS, loss=loss, evaluate={"train": noisy})
    for replica, row in zip(replicas, trained.rows(), strict=True):
        rows.append({"loss": loss, "parameters": 51 * replica.width + 10, "training error": 1 - row["accuracy"]})

errors = pd.DataFrame(rows).pivot_table(values="training error", index="parameters", columns="loss")
axes = errors.plot(style=["o-", "s-"], logx=True, figsize=(6.5, 3.5), ylabel="training error")
for place, name in ((SIGNALS, "n"), (10 * SIGNALS, "n K")):
    axes.axvline(place, color="black", linestyle="--")
    axes.annotate(name, (place, 0.6))

# %% [markdown]
# The first size at which the error is at most 1 %:

# %%
(errors <= 0.01).idxmax()

# %% [markdown]
# **Change it.**
# - The number depends on the rule. Take "the training *loss* is below 1 % of its first value" in place of the error.
#   Does the ratio between the two losses stay?
# - Train four times as long. Thresholds move when training is short of time: how would you tell "cannot fit" from
#   "has not fitted yet"?
# - `SIGNALS = 200`: does the threshold double? That is the claim about n. The claim about K needs another number of
#   classes, and here is a trap: with fewer digits the task is also easier. What could you do to vary K *alone*?

# %% [markdown]
# ## The study
#
# Training sets of 250 to 2,000 signals, 2, 5 and 10 classes, digits and random labels, three levels of noise,
# learning rates chosen for each; four rules for what a threshold is; and a fit of its growth with n and K: the source
# predicts powers of 1 and 0 for the likelihood, of 1 and 1 for the squared error.

# %%
study = STUDIES["thresholds"]
paper = committed_result(study.name)
display(study.figures["thresholds"](paper))

# %%
display(study.figures["exponents"](paper))
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds: 20 steps, in which nothing is memorised. "quick" takes minutes.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)

# %% [markdown]
# A threshold that was not seen, because even the largest network did not get there or the smallest did already, is
# *censored*: all that is known is "above" or "below". How many were seen?

# %%
result.tables["thresholds"].groupby(["rule", "seen"]).size().unstack(fill_value=0)
