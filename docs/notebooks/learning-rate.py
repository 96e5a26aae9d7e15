# %% [markdown]
# # Gradient descent on the learning rate
#
# Everybody tunes the learning rate by trying. But a training is a computation like any other: multiply, add, subtract
# the gradient times the learning rate, two hundred times over. So its outcome has a *derivative* by the learning
# rate, and one can do gradient descent on that. A network learns; and outside of it something learns how fast it
# should learn.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) starts once with a learning rate far too large, 1.5, and
# once with one too small, 0.15. Both come to the same value, 0.62, which is called optimal.

# %%
# %matplotlib inline

import pandas as pd
import torch
from IPython.display import display

from lightning_module.studies import STUDIES, committed_result, frozen, verdict_table
from lightning_module.studies.methods.unrolled import descend, hypergradient, initial_weights, minibatches, unroll

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Try it
#
# First the landscape, by brute force: forty trainings side by side that differ in the learning rate only, and the
# mean loss of each.

# %%
STEPS = 100  # of the inner training; 200 in the source

weights = initial_weights(seed=0)  # of an MLP with 50 hidden units
batches = minibatches(frozen().train, steps=STEPS, size=50)

rates = torch.logspace(-1.5, 0.5, 40)
stacked = tuple(tensor.expand(len(rates), *tensor.shape[1:]) for tensor in weights)
losses, _ = unroll(rates, stacked, batches, graph=False)  # (40 learning rates, 100 steps)
landscape = pd.Series(losses.mean(1), index=rates.numpy())
print(f"lowest at a learning rate of {landscape.idxmin():.2f}")

# %% [markdown]
# Now the derivative, exact, through all the steps at once. Does it agree with the slope between two neighbouring
# trainings? (Always check a gradient that way, once.)

# %%
rate, step = 0.3, 1e-3
exact = hypergradient(torch.tensor([rate]), weights, batches).gradient
two = hypergradient(torch.tensor([rate - step, rate + step]), weights, batches).mean_loss
print(f"exact {exact.item():.3f}, by two trainings {((two[1] - two[0]) / (2 * step)).item():.3f}")

# %% [markdown]
# And the descent: each arrow of the path is a whole training and one step of the learning rate.

# %%
STARTS = (1.5, 0.15)
OUTER_STEPS = 15

path = [torch.tensor(STARTS)]
path += [rates for rates, _ in descend(STARTS, weights, batches, steps=OUTER_STEPS, outer_rate=0.3)]
path = pd.DataFrame(torch.stack(path).numpy(), columns=[f"from {start}" for start in STARTS])
axes = path.plot(style=["o-", "s-"], markersize=4, figsize=(6, 3.5))
axes.axhline(landscape.idxmin(), color="black", linestyle="--", label="lowest of the landscape")
axes.set(xlabel="outer step", ylabel="learning rate", ylim=(0, None))
axes.legend()
axes.grid(alpha=0.3)

# %% [markdown]
# **Change it.**
# - `STEPS = 20`, or 300. The optimum moves. In which direction, and why? ("The optimal learning rate" is optimal for
#   a length of training.)
# - Start at 3.0. Why can the descent explode there, where the landscape is no longer smooth?
# - Take the *last* losses in place of the mean: `losses[:, -10:].mean(1)`. Is the same learning rate the best?

# %% [markdown]
# ## The study
#
# Ten starts, ten seeds, in two arms: the published data with other initial weights, and fresh data. Beside the paths
# stands the landscape they cross.

# %%
study = STUDIES["learning-rate"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["landscape"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# The digits of the source can be reproduced exactly: the same 2,560 initial weights, the same minibatches, no chance
# left. What an exact repetition says, and what it does not say, is worth a discussion: which of the statements above
# would it have settled?
#
# The table `optima` holds the best learning rate by three yardsticks: the mean loss (what the descent sees), the loss
# at the end, and the loss on test signals.

# %%
display(paper.tables["optima"].groupby(["arm", "objective"]).rate.describe()[["mean", "min", "max"]].round(2))

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes a second: 40 steps in place of 200 and six outer steps, so the paths end elsewhere. "quick" takes some
# minutes.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)
