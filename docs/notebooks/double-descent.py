# %% [markdown]
# # Double descent: when a larger network is worse, and a much larger one better
#
# The textbook says: too small a model cannot fit, too large a model fits the noise, the best lies in between. Then
# people made networks far larger than that, and they were better again. The test error goes down, up, and down a
# second time, and its peak lies where the network is *just* able to fit every training example, noise included.
#
# Why there? A network that is only just able to fit everything has no choice: there is about one way to do it, and it
# is a violent one. A larger one has many ways, and gradient descent finds a gentle one.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) shows the double descent of an MLP and of a CNN on MNIST-1D,
# with 15 % of the training labels replaced by random ones.

# %%
# %matplotlib inline

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from lightning_module import Examples, Replica, noisy_labels
from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.networks.hidden_layers import HiddenLayers

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Try it
#
# To see it in seconds, make everything small: 300 training signals, some of them with wrong labels, and networks with
# two hidden layers of 2 to 60 units. Wide and narrow networks are trained side by side.

# %%
SIGNALS = 300
NOISE = 0.15  # part of the labels that is drawn anew
STEPS = 1000
WIDTHS = (2, 3, 4, 6, 8, 10, 12, 15, 20, 30, 60)

data = fresh(0, num_samples=SIGNALS, train_split=1.0, tests=2000)
noisy = Examples(data.train.x, noisy_labels(data.train.y, NOISE, seed=0))
print(f"{(noisy.y != data.train.y).sum()} of {SIGNALS} labels are wrong")

# %%
replicas = [Replica(seed=seed, width=width, lr=0.01) for width in WIDTHS for seed in range(3)]
trained = train(HiddenLayers, replicas, noisy, steps=STEPS, evaluate={"train": noisy, "test": data.test})
rows = pd.DataFrame(trained.rows())
rows["width"] = [replica.width for replica in replicas] * 2  # those of "train", then those of "test"
rows["parameters"] = rows.width**2 + 52 * rows.width + 10
rows["error"] = 1 - rows.accuracy

figure, panels = plt.subplots(2, 1, figsize=(6.5, 6), sharex=True)
for measure, axes in zip(("loss", "error"), panels, strict=True):
    rows.pivot_table(values=measure, index="parameters", columns="on").plot(ax=axes, style=["o-", "s:"], logx=True)
    axes.axvline(SIGNALS, color="black", linestyle="--")  # as many parameters as signals
    axes.set_ylabel(measure)

# %% [markdown]
# The loss on test signals has its peak about where the training error reaches zero, and falls beyond. The dashed line
# is where there are as many parameters as signals. Of the *error* there is hardly a bump here: a network can be
# wildly overconfident and still be wrong hardly more often. (The source, with 4,000 signals and 500 epochs, reports a
# rise of several points.)
#
# **Change it.**
# - `NOISE = 0.0`. Which peak is left?
# - `SIGNALS = 600`. Where does the peak go? (This is how *more data* could hurt: a network that was past its peak can
#   be at its peak now. The study looked for that at one size of network, from 400 to 4,000 signals: there it does not.)
# - `STEPS = 100`: stop early. What happens to the peak, and why is early stopping called regularisation?

# %% [markdown]
# ## The study
#
# 4,000 signals, 19 sizes of the MLP and 29 of the CNN, 500 epochs, with clean and with noisy labels, and the figure
# of 2020, of which no code is left. The findings are about peaks as a rule sees them, not as an eye does: the rule
# was fixed before there was a curve to look at. And it was wrong: the largest error of the whole curve is that of the
# smallest network, so the table below has no verdict on the peak. The rule stays in it. Beside it stand amended ones,
# written before twelve new trainings that decide: both networks descend twice, with the peak at the threshold. The
# report has both, with date and reason.

# %%
study = STUDIES["double-descent"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# "Epoch-wise" double descent: the same networks, seen over the time of their training. A network that will pass its
# peak in size may pass one in time as well.

# %%
display(study.figures["epochs"](paper))

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds: five sizes, three epochs, 200 signals. The published curves are drawn beside it, so one sees
# what the figure will have. "quick" takes minutes.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)
