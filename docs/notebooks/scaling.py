# %% [markdown]
# # Can a million examples be predicted from 64,000?
#
# Loss falls with the number of examples, often like a power: ten times the data, a fixed part of the loss. Such
# *scaling laws* are drawn far beyond what was measured. But loss does not fall to 0: what cannot be known stays, and
# nobody knows how much that is, so the floor is fitted together with the rest. On MNIST-1D the floor is known: it is
# the entropy of the exact posterior. So the law can be looked at alone.
#
# **The source** of the laws: Hestness et al. 2017 (exponents of 0.07 to 0.35; "architecture changes the constant, not
# the exponent"), Kaplan et al. 2020 (0.095), Hoffmann et al. 2022 (0.28 beyond a fitted floor), all of other data. That
# an exact posterior makes the irreducible part known is the idea of Khorasani et al. 2026, with a flow in place of the
# truth.

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
from IPython.display import display

from lightning_module.datamodule import Examples
from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.posterior_distance import (
    EarlyStops,
    divergence,
    entropy,
    log_probabilities,
    posterior_of,
)
from lightning_module.studies.scaling.laws import floored_law, power_law

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## How a floor hides in a fit
#
# A made-up curve: a floor of 0.757, and beyond it a power of 0.45. With a little noise the floor that is fitted, and
# with it the exponent, go astray together; and the prediction with them.

# %%
generator = np.random.default_rng(0)
n = 250 * 4 ** np.arange(5)
truth = 0.757 + 15 * n**-0.45
fits = [floored_law(n, truth * np.exp(0.01 * generator.normal(size=5))) for _ in range(6)]
pd.DataFrame(
    [{"floor": law.floor, "exponent": law.exponent, "excess at 1,024,000": law(1_024_000) - 0.757} for law in fits]
).round(3)

# %%
print(f"true: floor 0.757, exponent 0.45, excess at 1,024,000 {15 * 1_024_000**-0.45:.3f}")

# %% [markdown]
# ## Try it
#
# The CNN on 250 to 16,000 signals of the config high-noise, stopped where validation is best. The excess loss is the
# divergence from the exact posterior: no floor, and no label that happened to be drawn.

# %%
SIZES = (250, 1000, 4000, 16_000)

tested = fresh(0, "high-noise", tests=500)
log_p = posterior_of(tested.test.x, tested, "high-noise")
x, y = fresh(0, "high-noise", tests=0, num_samples=max(SIZES), train_split=1.0).train
rows = []
for size in SIZES:
    out = size // 5
    looks = EarlyStops(Examples(x[:out], y[:out]), {"test": tested.test.x})
    train("cnn", 1, Examples(x[out:size], y[out:size]), steps=600, every=50, shuffle=True, callbacks=[looks])
    log_q = log_probabilities(looks.best.logits["test"][0])
    rows.append({"n": size, "excess": divergence(log_p, log_q).mean()})
found = pd.DataFrame(rows).set_index("n")
law = power_law(SIZES[:3], found.excess[:3])
axes = found.plot(style="o", figsize=(6, 3.5), logx=True, logy=True, ylabel="excess loss (nats)")
axes.plot(SIZES, [law(each) for each in SIZES], color="0.5", label="law of the first three")
axes.legend()
axes.grid(alpha=0.3)

# %%
print(f"exponent {law.exponent:.2f}; the floor that this needs no fit for: {entropy(log_p).mean():.3f} nats")

# %% [markdown]
# **Change it.** Fit to the last three points in place of the first. Then train the MLP: is its line parallel to the
# CNN's?

# %% [markdown]
# ## The study
#
# MLP and CNN, three widths of each, two recipes, from 250 to 1,024,000 examples.

# %%
study = STUDIES["scaling"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["slopes"](paper))

# %% [markdown]
# Were a curve one power law, its local exponents would be a horizontal line.
#
# ### The test that convinces
#
# Fitted to the circles, the law is asked for the crosses.

# %%
display(study.figures["prediction"](paper))

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
result.rows.pivot_table(values="divergence", index=["recipe", "network"], columns="n").round(2)
