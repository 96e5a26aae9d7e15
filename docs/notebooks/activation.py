# %% [markdown]
# # Learning the activation function itself
#
# Weights are learned. The nonlinearity between them, ReLU or tanh or whatever is in fashion, is chosen by people. It
# need not be: let a tiny network *be* the activation function, train the large network with it, and then ask through
# the whole training which change of the little one would have lowered the loss.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) did this on MNIST-1D and got a strange, wavy function, with
# which a network reached 68 % where ReLU had 59. On other data sets, it adds, the learned function is in the middle
# of the pack.
#
# Here is a question to carry along: the function was optimised for *one* start of *one* network. Is a comparison on
# that very start fair?

# %%
# %matplotlib inline

import pandas as pd
import torch
from IPython.display import display

from lightning_module import LearnedActivation
from lightning_module.studies import STUDIES, committed_result, fresh, verdict_table
from lightning_module.studies.methods.activation.functions import BASELINES, piecewise
from lightning_module.studies.methods.activation.inner_training import (
    Setting,
    accuracies,
    initial_networks,
    train_networks,
    uniform_noise,
)

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Look at it
#
# The functions that people chose, and the published stand-in for the learned one: six straight pieces, with a bump
# left of zero and a dip right of it.

# %%
x = torch.linspace(-5, 5, 501)
functions = {**BASELINES, "piecewise": piecewise}
shapes = pd.DataFrame({name: function(x).numpy() for name, function in functions.items()}, index=x.numpy())
axes = shapes.plot(figsize=(7, 4), ylim=(-1.5, 4), linewidth=1)
axes.lines[-1].set_linewidth(3)
axes.set(xlabel="x", ylabel="f(x)")
axes.grid(alpha=0.3)

# %% [markdown]
# ## Try it
#
# The network of the source (128 hidden units, some noise, an optimiser with a short memory) with each function, from
# several starts and on data that the stand-in was not made for.

# %%
STEPS = 100  # 301 in the source
SEEDS = 4
RATE = 0.01

data = fresh(0, num_samples=10_000, tests=5000)
starts = initial_networks(range(SEEDS))
noise = uniform_noise(0, steps=STEPS)
settings = [Setting(rate=RATE)] * SEEDS

scores = {}
for name, function in functions.items():
    trained = train_networks(function, starts, data.train, noise, settings)
    scores[name] = accuracies(function, trained.networks, data.test, settings)
pd.DataFrame(scores).agg(["mean", "std"]).T.sort_values("mean").round(3)

# %% [markdown]
# **Change it.**
# - Is it the *shape*? A function that is merely steeper acts like a larger learning rate. Give every function its
#   best one: try `RATE = 0.005, 0.02, 0.04`, or stretch the input, `Setting(rate=RATE, inward=2.0)`.
# - Add a function of your own to `functions`: `"sine": torch.sin`. If it does as well, what does that say about the
#   shape that was found?
# - Only the bump: `"bump": lambda x: torch.relu(x) + 0.6 * torch.exp(-((x + 1.7) ** 2))`.

# %% [markdown]
# ## The study
#
# It repeats the meta-training number by number, then does the fair test: the learned function, no longer trained, in
# 20 networks with their own starts and data; all functions with the best learning rate and the best scale for each.

# %%
study = STUDIES["activation"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["fair"](paper))
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# ## Run it yourself, and take the function home
#
# "smoke" takes seconds: two outer steps, after which the function is still nearly ELU, where it began. "quick" does
# 60 of the 301 outer steps.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)

# %% [markdown]
# What a run has learned is an ordinary module, for any network: `torch.nn.Sequential(torch.nn.Linear(40, 128),
# learned, ...)`. It can be saved as safetensors (`learned.save("activation.safetensors")`).

# %%
learned = LearnedActivation.of(paper or result)
shapes = pd.DataFrame({"learned": learned(x).numpy(), "elu": BASELINES["elu"](x).numpy()}, index=x.numpy())
axes = shapes.plot(figsize=(5, 3), xlabel="x", ylabel="f(x)")
