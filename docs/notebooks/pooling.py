# %% [markdown]
# # Does pooling help?
#
# A convolutional network computes, then throws half of it away: *pooling* keeps the larger of two neighbours, or
# their mean. Why should less be more? The usual answer: it matters that a bump is there, not on which point exactly.
# Somebody who has seen few examples is helped by being told so; somebody who has seen many could have found out
# alone.
#
# **The source** (Greydanus 2020; Greydanus & Kobak 2024) trained the same small CNN with five kinds of pooling on
# 1,000 to 50,000 signals, and says: pooling is "very effective" with little data, and with much data it makes little
# difference. The caption of the figure goes further: there it "hinders". Is that so?

# %%
# %matplotlib inline
from functools import partial

import pandas as pd
from IPython.display import display

from lightning_module import Examples
from lightning_module.networks import count_parameters
from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.networks.pooling import PoolingCNN

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Try it
#
# `PoolingCNN(pool=...)` has two convolutions, each with one kind of pooling behind it. The smaller training set is
# the beginning of the larger one, and both are tested on the same signals: else a difference between two sizes could
# be one between two test sets.

# %%
STEPS = 500
SIZES = (500, 4000)

data = fresh(0, tests=5000)
rows = []
for size in SIZES:
    first = Examples(data.train.x[:size], data.train.y[:size])
    for pool in ("none", "max"):
        trained = train(partial(PoolingCNN, pool=pool), 3, first, steps=STEPS, evaluate={"test": data.test})
        rows += trained.rows(pool=pool, size=size)

accuracy = pd.DataFrame(rows).pivot_table(values="accuracy", index="size", columns="pool")
accuracy.assign(advantage=accuracy["max"] - accuracy["none"]).round(3)

# %% [markdown]
# So far the story is right: with few signals pooling is worth a lot, with more it is worth less. But look closer.

# %%
pd.Series({pool: count_parameters(PoolingCNN(pool=pool)) for pool in ("none", "stride", "max", "avg", "l2")})

# %% [markdown]
# Without pooling the last layer sees four times as many numbers, and the network has 2.8 times the parameters. Is it
# the pooling that helps with little data, or that there is less to overfit with?
#
# **Change it.** `PoolingCNN(pool="none", channels=8)` has as many parameters as the others: put it into the loop with
# `partial(PoolingCNN, pool="none", channels=8)`. And train longer: 500 steps are 100 passes through 500 signals, but
# only 12 through 4,000. Which of the two is short of time?

# %% [markdown]
# ## The study
#
# It takes both doubts seriously. Beside the published arm there is one with *nested* training sets and one test set,
# a network without pooling but with as many parameters, and an arm in which every size gets the same number of
# passes.

# %%
study = STUDIES["pooling"]
paper = committed_result(study.name)
display(study.figures["advantage"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# Which of these statements contradict each other, so that one of the two *had* to fail? They stand in the same paper.
#
# The doubts are among the questions. And all the accuracies that the source printed are there, one by one: of numbers
# with 95 % intervals one in twenty is outside by luck alone.

# %%
matched = verdicts.index.str.contains("match|epoch|parameter")
display(verdicts.loc[matched & (verdicts.kind == "question"), ["statement", "finding", "contrast"]])
display(verdicts.loc[verdicts.published != "-", "number"].value_counts().to_frame("published numbers"))

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes ten steps and half a minute, most of it to make 51,000 signals; its curves mean nothing. "quick" has a
# thousand steps.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)
