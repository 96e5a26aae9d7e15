# %% [markdown]
# # How MNIST-1D is made, and what its texts promise
#
# 4,000 signals of 40 points, and yet it takes a network that knows about space to read them. How does one make
# something so small so hard? Ten curves are drawn by hand, one for each digit. Everything else is a recipe: pad,
# stretch, shift around a circle, add noise, tilt, and keep 40 points.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) promises a lot of it: "20 times smaller" than MNIST, no cost
# to speak of, minutes for every experiment, and that nothing simple reads it. A promise can be checked like any other
# claim.

# %%
# %matplotlib inline

import pandas as pd
from IPython.display import display
from sklearn.neighbors import KNeighborsClassifier

from lightning_module.studies import STUDIES, committed_result, frozen, verdict_table
from mnist1d_hf import make_mnist1d
from mnist1d_hf.plot import plot_stages, plot_templates

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Look at it
#
# The ten templates, upright so that the digits can be seen:

# %%
plot_templates()

# %% [markdown]
# And one signal of each digit on its way, a row for each stage. From which stage on would you no longer know which
# digit it is? And which stage makes it hard for *logistic regression*, which gives every point one weight for each
# digit?

# %%
data = make_mnist1d(num_samples=1000, trace=True)
plot_stages(data)

# %% [markdown]
# ## Try it
#
# The simplest reader of all knows nothing: it compares a signal with every training signal, point by point, and asks
# the ten nearest. On images of digits that works well (see the notebook on the comparison).

# %%
everything = frozen()
x, y = (tensor.numpy() for tensor in everything.train)
x_test, y_test = (tensor.numpy() for tensor in everything.test)
print(f"{KNeighborsClassifier(10).fit(x, y).score(x_test, y_test):.1%} of the test signals")

# %% [markdown]
# What does it stumble over? Give it data in which one stage is missing, and look what it gains:

# %%
changes = {
    "as it is": {},
    "without translation": {"max_translation": 1},
    "without noise": {"corr_noise_scale": 0.0, "iid_noise_scale": 0.0},
    "without shear": {"shear_scale": 0.0},
}
scores = {}
for name, change in changes.items():
    other = make_mnist1d(**change)
    scores[name] = KNeighborsClassifier(10).fit(other.train.x, other.train.y).score(other.test.x, other.test.y)
pd.Series(scores).round(3)

# %% [markdown]
# **Change it.**
# - Take two things away at once. Do the gains add up?
# - Shift each test signal to all 40 places and let the nearest of *all* comparisons decide. You have just built a
#   translation invariance by hand: does it help, and what does it cost?
# - Make it harder: `make_mnist1d(num_samples=10_000, corr_noise_scale=0.5)`. Are more signals a remedy for more
#   noise?

# %% [markdown]
# ## The study
#
# Numbers, bytes, minutes, and is what this package generates the published data set, bit for bit?

# %%
study = STUDIES["dataset"]
paper = committed_result(study.name)
display(paper.tables["sizes"])

# %% [markdown]
# "20 times smaller" can be read as numbers or as bytes. Find both in the table.
#
# The run times that were promised, and ours:

# %%
display(study.figures["figure"](paper))

# %%
verdicts = verdict_table(study, paper)
tested = ~verdicts.finding.str.startswith("○")
display(verdicts.loc[(verdicts.kind == "statement") & tested, ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# Some statements cannot be put to the test, and say why. Do you agree that they cannot?

# %%
display(verdicts.loc[(verdicts.kind == "statement") & ~tested, ["statement", "finding"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds. It measures run times too, of a fiftieth of the work; what it counts is the same everywhere.

# %%
PRESET = "smoke"

result = study.run(PRESET)
result.tables["facts"]

# %%
result.tables["classical"].pivot_table(values=["linear", "kernel"], index="dataset").round(2)
