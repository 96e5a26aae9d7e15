# %% [markdown]
# # What makes MNIST-1D hard: noise, translation, or resolution?
#
# MNIST-1D is not collected but computed, by a recipe with a dozen numbers. That makes a kind of experiment possible
# that no photograph allows: turn *one* number, leave everything else as it is, and watch who suffers.
#
# **The source** (Greydanus 2020) advertises just this: a procedural data set lets one "smoothly vary factors such as
# noise, translation and resolution". It reports no such experiment. So everything below is our own question, above
# all this one: a convolutional network finds a digit wherever it stands. Is *that* what it is ahead of the MLP by?

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
from IPython.display import display

from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from mnist1d_hf import RECIPES, make_mnist1d
from mnist1d_hf.plot import plot_signals

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Turn the knobs
#
# All numbers of the recipe, then the same ten signals (the same random numbers) with one of them changed.

# %%
RECIPES["default"].recipe


# %%
def ten_signals(**changes):
    """The first ten training signals of a recipe with some numbers changed."""
    data = make_mnist1d(**changes).train
    return plot_signals(data.x[:10], data.y[:10])


ten_signals()

# %%
ten_signals(max_translation=1)  # nobody is moved: every digit begins at the top

# %%
ten_signals(iid_noise_scale=0.16)  # noise on every point, eight times as much as by default

# %% [markdown]
# ## Try it
#
# An MLP and a CNN, without translation and with more and more of it. `fresh(seed, ...)` draws a data set of the
# recipe; training and test signals are always different ones.

# %%
STEPS = 800
TRANSLATIONS = (1, 4, 16, 48)  # points, of 72

rows = []
for translation in TRANSLATIONS:
    data = fresh(0, max_translation=translation, tests=5000)
    for network in ("mlp", "cnn"):
        trained = train(network, 2, data.train, steps=STEPS, evaluate={"test": data.test})
        rows += trained.rows(network=network, translation=translation)

accuracy = pd.DataFrame(rows).pivot_table(values="accuracy", index="translation", columns="network")
axes = accuracy.plot(style=["o-", "s-"], figsize=(6, 3.5), logx=True, ylim=(0, 1), xticks=TRANSLATIONS)
axes.set(xlabel="largest translation (points of 72)", ylabel="test accuracy, mean of 2 seeds")
axes.xaxis.set_major_formatter("{x:.0f}")
axes.grid(alpha=0.3)

# %%
log_odds = np.log(accuracy / (1 - accuracy))
pd.DataFrame({"lead in accuracy": accuracy.cnn - accuracy.mlp, "in log-odds": log_odds.cnn - log_odds.mlp}).round(2)

# %% [markdown]
# Why two columns? Near 100 % a difference has no room: from 98 to 99 % half of the errors go, from 50 to 51 % hardly
# any. Log-odds, log(right / wrong), count both fairly. They have a price: where hardly a signal is misread, they are
# made of a few signals and scatter widely.
#
# **Change it.** Vary `iid_noise_scale` in place of `max_translation`. Which network minds noise more? Then
# `final_seq_length`: with 10 points a signal, what has a convolution left to look at?

# %% [markdown]
# ## The study
#
# Four knobs, four networks, five seeds at every level. Seed s draws the same random numbers at every level, so that
# levels are compared seed by seed.

# %%
study = STUDIES["recipe-sweep"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["gap"](paper))

# %% [markdown]
# No source states a result here, so these are questions (`kind` is "question"): they have intervals and verdicts, but
# none of them can confirm or refute a publication.

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "question", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" is over in seconds, three steps of training each: it shows that everything works and nothing else. "quick"
# takes minutes and has fewer levels. Any number can be changed: `study.run(study.config("quick", seeds=5))`.

# %%
PRESET = "smoke"

result = study.run(PRESET)
result.rows.groupby(["network", "max_translation"]).accuracy.mean().unstack().round(2)
