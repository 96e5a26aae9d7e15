# %% [markdown]
# # How good could anybody be?
#
# A network reads 93 % of the signals. Is that good? For a photograph nobody knows: perhaps the rest cannot be read at
# all. MNIST-1D is computed, each stage is linear and the noise is normal, so the probability of each digit given a
# signal, the *posterior*, can be computed exactly. It is the best that can be said about the signal, and so a ceiling.
#
# **The source** of the networks and their training is the benchmark (Greydanus & Kobak 2024). That a single number, the
# *temperature*, repairs the confidence of a trained network is from Guo et al. 2017. Neither compares with a ceiling,
# so all that follows are our own questions.

# %%
# %matplotlib inline

import numpy as np
import pandas as pd
import torch
from IPython.display import display

from lightning_module.studies import STUDIES, committed_result, fresh, train, verdict_table
from lightning_module.studies.methods.posterior_distance import divergence, log_probabilities, logits_of, posterior_of
from mnist1d_hf.bayes import bayes_limits

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## The ceiling
#
# The mean of the largest probability is the accuracy of a reader who always takes the most probable digit; nobody can
# do better. The entropy is the loss that nobody can undercut.

# %%
levels = (0.01, 0.02, 0.05, 0.1, 0.2)
limits = {level: bayes_limits(iid_noise_scale=level, n=200) for level in levels}
pd.DataFrame(
    {level: {"accuracy": limit.accuracy.mean, "entropy": limit.entropy.mean} for level, limit in limits.items()}
).T.rename_axis("noise on every point").round(3)

# %% [markdown]
# With the default noise of 0.02 hardly a signal is ambiguous. What is missing in the networks is not missing in the
# data.
#
# ## Try it
#
# An MLP and a CNN beside the posterior of the same signals, with the default noise and with five times as much. The
# *avoidable* error is what is left when the posterior's own error is subtracted; the *divergence* is the loss beyond
# the entropy, in nats.

# %%
STEPS = 800
NOISES = (0.02, 0.1)

rows = []
for noise in NOISES:
    data = fresh(0, iid_noise_scale=noise, tests=500)
    log_p = posterior_of(data.test.x, data, iid_noise_scale=noise)
    for network in ("mlp", "cnn"):
        trained = train(network, 1, data.train, steps=STEPS)
        log_q = log_probabilities(logits_of(trained.ensemble, data.test.x)[0])
        right = np.exp(log_p[np.arange(500), log_q.argmax(1)]).mean()
        best = np.exp(log_p.max(1)).mean()
        rows.append(
            {
                "noise": noise,
                "network": network,
                "error": 1 - right,
                "the data's": 1 - best,
                "avoidable": best - right,
                "divergence": divergence(log_p, log_q).mean(),
            }
        )
pd.DataFrame(rows).set_index(["noise", "network"]).round(3)

# %% [markdown]
# No label was needed to compute this table: the posterior says how often each answer is right. That makes it far more
# precise than counting errors.
#
# ### Is it only confidence?
#
# Divide the logits by a temperature: above 1, the network is less sure of everything, and takes the same digits.

# %%
data = fresh(0, tests=500)
log_p = posterior_of(data.test.x, data)
logits = logits_of(train("cnn", 1, data.train, steps=2000).ensemble, data.test.x)[0]
temperatures = torch.logspace(-0.5, 1, 16)
curve = pd.Series(
    [divergence(log_p, log_probabilities(logits / heat)).mean() for heat in temperatures],
    index=temperatures.numpy(),
    name="divergence",
)
axes = curve.plot(style="o-", figsize=(6, 3.2), logx=True, xlabel="temperature", ylabel="divergence (nats)")
axes.axvline(1, color="0.6", linewidth=0.8)
axes.grid(alpha=0.3)

# %% [markdown]
# The lowest point is what a temperature can do at most; what is left there is not confidence.
#
# **Change it.** Train for 200 steps in place of 2000: where is the lowest point then, and how much lower than at 1?
# Then set `iid_noise_scale=0.1` in both calls.

# %% [markdown]
# ## The study
#
# Thirty recipes, four networks, five seeds, each as the benchmark trains them; and the same runs stopped where their
# validation is best. The temperature is fitted to the labels of 1000 validation signals, as somebody would who has no
# posterior.

# %%
study = STUDIES["ceiling"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
display(study.figures["reliability"](paper))

# %% [markdown]
# On the diagonal a network is right as often as it says. That is not the same as knowing what can be known: somebody
# who says "one in ten" of every signal is on the diagonal too. The divergence tells the two apart.

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[:, ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# ## Run it yourself
#
# "smoke" is over in seconds, four steps of training each: it shows that everything works and nothing else. "quick"
# takes minutes and has fewer recipes.

# %%
PRESET = "smoke"

result = study.run(PRESET)
result.rows.groupby(["network", "iid_noise_scale", "arm"]).divergence.mean().unstack().round(2)
