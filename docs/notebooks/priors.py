# %% [markdown]
# # Between the MLP and the CNN: how much does it help to know about space?
#
# An MLP knows nothing about space: for it, point 3 is as far from point 4 as from point 40. A CNN knows a lot: that
# neighbours belong together, and that what is a bump here is a bump there. Must it be all or nothing?
#
# **The source** (Greydanus 2020) guesses, without an experiment, that networks "with more moderate spatial priors"
# would lie in between. What could such a network be? Knowledge of space can be taken apart:
#
# | network | what it knows |
# |---|---|
# | deep sets | nothing: it sees a bag of 40 values |
# | Transformer without positions | the same, but values look at each other |
# | MLP | which value stands where |
# | Transformer with positions | the same, and that places are treated alike |
# | locally connected | which points are neighbours, but every place has its own weights |
# | CNN | neighbours, and the same weights everywhere |
# | CNN with average pooling | that it does not even matter where something was found |
#
# To be fair, all have as many parameters as the CNN, 5,210, within 3 %.

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
from IPython.display import display

from lightning_module import Replica
from lightning_module.networks import count_parameters
from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.networks.priors import PRIORS

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %%
pd.Series({name: count_parameters(make()) for name, make in PRIORS.items()}, name="parameters")

# %% [markdown]
# ## Try it
#
# Three of the seven, trained for a short time, with their points in order and shuffled. The learning rate is the same
# for all here. That is not fair, and the study below does better.

# %%
STEPS = 800
LEARNING_RATE = 0.01

data = fresh(0, tests=5000)
order = np.random.default_rng(0).permutation(40)
rows = []
for network in ("mlp", "locally_connected", "cnn"):
    for name, points in {"in order": range(40), "shuffled": order}.items():
        replicas = [Replica(seed=seed, lr=LEARNING_RATE, points=points) for seed in range(2)]
        trained = train(PRIORS[network], replicas, data.train, steps=STEPS, evaluate={"test": data.test})
        rows += trained.rows(network=network, points=name)

accuracy = pd.DataFrame(rows).pivot_table(values="accuracy", index="network", columns="points")
axes = accuracy.sort_values("in order").plot.barh(xlim=(0, 1), xlabel="test accuracy", ylabel="", figsize=(6, 3))
axes.legend(loc="lower right")
axes.grid(alpha=0.3, axis="x")
# %% [markdown]
# Where does the locally connected network lie, if the MLP is 0 and the CNN is 1?

# %%
ordered = accuracy["in order"]
position = (ordered - ordered["mlp"]) / (ordered["cnn"] - ordered["mlp"])
position.round(2)

# %% [markdown]
# **Change it.**
# - Train longer (`STEPS = 2000`). A network without shared weights sees a bump in 40 places and has to learn it 40
#   times. Does time help?
# - Put a network of your own between them: anything that takes 40 numbers and gives 10 will do in place of
#   `PRIORS[network]`, such as `lambda: torch.nn.Sequential(...)`.
# - Try `PRIORS["deep_sets"]`. Shuffling does nothing to it. Why must that be so?

# %% [markdown]
# ## The study
#
# All seven, five seeds, a new draw of the data for each. And the fair part: for each network and each order of the
# points the learning rate is chosen among six, on validation examples, by the same twelve trials. A Transformer at the
# CNN's learning rate would have been judged by somebody else's shoe size.

# %%
study = STUDIES["priors"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts[["kind", "statement", "finding", "contrast", "needed"]])

# %% [markdown]
# One row is a "statement", the guess of the source; all others are our own questions. Two things to discuss:
#
# - With weights of its own at every place, a locally connected network of 5,210 parameters has 9 channels where the
#   CNN has 25. Is this a test of *sharing*, or of *channels*? How would you separate them?
# - The source did not say which networks it meant. Did we test its guess, or ours?
#
# The tuning itself can be looked at: a best learning rate at the edge of the grid would be a warning.

# %%
display(study.figures["tuning"](paper))

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds and four steps a network: it shows that everything works. "quick" takes minutes.

# %%
PRESET = "smoke"

result = study.run(PRESET)
result.rows.query("on == 'fresh test'").pivot_table(values="accuracy", index="network", columns="points").round(2)
