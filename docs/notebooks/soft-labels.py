# %% [markdown]
# # What is a perfect teacher worth?
#
# A label says "this was a 4". A perfect teacher would say "60 % a 4, 30 % a 9, and so on": the exact posterior. Where
# signals are noisy that is much more than a label, and on MNIST-1D it can be computed. How many plain labels does it
# replace?
#
# **The source** of the question is everywhere where a network is taught by another one; but that teacher is a network,
# and nobody knows how far it is from the truth. Here the teacher is the truth, so this is the most that soft labels can
# do. All claims are our own questions.

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
import torch
from IPython.display import display

from lightning_module import Replica
from lightning_module.datamodule import Examples
from lightning_module.studies import STUDIES, committed_result, fresh, verdict_table
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.posterior_distance import divergence, log_probabilities, logits_of, posterior_of
from lightning_module.studies.soft_labels.soft_ensemble import SoftEnsemble

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## What the teacher says
#
# Five signals of the config high-noise, their labels, and the posterior.

# %%
data = fresh(0, "high-noise", tests=300)
log_p = posterior_of(data.test.x, data, "high-noise")
table = pd.DataFrame(np.exp(log_p[:5]).round(2))
table.insert(0, "label", data.test.y[:5].numpy())
table

# %% [markdown]
# ## Try it
#
# An MLP on 1000 signals: with their labels, and with their posteriors. A label is a posterior too, one that is certain,
# so the same training does both. The divergence from the exact posterior on fresh signals, as training goes on:

# %%
N, STEPS = 1000, 200

x, y = data.train.x[:N], data.train.y[:N]
soft = torch.from_numpy(np.exp(posterior_of(x, data, "high-noise"))).float()
arms = {"hard": torch.eye(10)[y], "soft": soft}
curves = {}
for arm, targets in arms.items():
    curve = {}
    for step in range(20, STEPS + 1, 20):
        model = SoftEnsemble("mlp", [Replica(lr=1e-3)], targets=targets)
        fit(model, Examples(x, torch.arange(N)), steps=step)
        curve[step] = divergence(log_p, log_probabilities(logits_of(model, data.test.x)[0])).mean()
    curves[arm] = curve
curves = pd.DataFrame(curves)
axes = curves.plot(style=["o-", "s:"], figsize=(6, 3.5), xlabel="steps", ylabel="divergence (nats)", logy=True)
axes.grid(alpha=0.3)

# %%
curves.min().round(3)

# %% [markdown]
# With labels the network soon learns which signals happened to be which, and gets worse. A posterior has no such
# accidents to learn.
#
# **Change it.** Take `N = 4000` for labels only (their posteriors take half a minute): does it reach what 1000 soft
# ones do? And with the config "default", whose posterior is nearly certain, what is left of the gain?

# %% [markdown]
# ## The study
#
# Two networks, up to 64,000 examples, learning rate and stopping step chosen for each arm, by what is held out of the
# same examples.

# %%
study = STUDIES["soft-labels"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["worth"](paper))

# %% [markdown]
# A circle is read off between two sizes of the grid. A triangle upwards says that 64,000 hard labels were not enough:
# the worth is larger, and how much larger is not known.

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[:, ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" is over in seconds, four steps of training each: it shows that everything works and nothing else.

# %%
PRESET = "smoke"

result = study.run(PRESET)
result.rows.pivot_table(values="divergence", index=["network", "n"], columns="arm").round(2)
