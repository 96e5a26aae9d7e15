# %% [markdown]
# # Learning without labels, and then cutting off the last layers
#
# Show a network two distorted views of the same signal, and of many others, and ask only: *which two belong
# together?* No label is ever used. To solve this the network has to find out what stays the same under the
# distortions, and with luck that is the digit. This is contrastive learning (SimCLR).
#
# What it learned is measured by a *linear probe*: logistic regression, with labels, on what the layers make of a
# signal. And here comes the odd part. **The source** (Greydanus & Kobak 2024) trains on the output of the last layer,
# but the last layer is *not* where most is known. One trains a head and cuts it off: "guillotine regularisation".

# %%
# %matplotlib inline

import pandas as pd
import torch
from IPython.display import display

from lightning_module.studies import STUDIES, committed_result, frozen, verdict_table
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.probes import linear_probe
from lightning_module.studies.methods.simclr.augmentations import augment, draw
from lightning_module.studies.methods.simclr.encoder import SimCLR, layer_names
from mnist1d_hf.plot import plot_signals

pd.set_option("display.max_colwidth", None, "display.max_rows", 100)

# %% [markdown]
# ## Look at it
#
# The augmentation: a signal loses its straight line, is shifted around the circle by up to nine points, and gets
# another straight line. Five signals, each followed by its second view. Everything that the distortion changes the
# network will learn to *ignore*, so the distortion is where the knowledge about digits goes in.

# %%
data = frozen()
generator = torch.Generator().manual_seed(0)
views = augment(data.train.x[:5], draw(2, 5, generator=generator))  # (2 views, 5 signals, 40 points)
plot_signals(views.transpose(0, 1).reshape(10, 40), data.train.y[:5].repeat_interleave(2))

# %% [markdown]
# ## Try it
#
# A short training of one encoder: three convolutions, then two fully connected layers, the projector. Then a probe
# after every layer. Layer 0 is the signal itself.

# %%
EPOCHS = 6  # 200 in the source

model = SimCLR("default", 1)
fit(model, data.train, steps=40 * EPOCHS, batch_size=100, shuffle=True)


# %%
def probe_each_layer(model, labelled=1000):
    """Test accuracy of logistic regression after each layer, trained with some labels."""
    train = model.representations(0, data.train.x[:labelled])
    test = model.representations(0, data.test.x)
    scores = [
        linear_probe(known.numpy(), data.train.y[:labelled].numpy()).score(asked.numpy(), data.test.y.numpy())
        for known, asked in zip(train, test, strict=True)
    ]
    return pd.Series(scores, index=layer_names(model.projector))


accuracy = pd.DataFrame({"trained": probe_each_layer(model), "before training": probe_each_layer(SimCLR("default", 1))})
axes = accuracy.plot(style=["o-", "s:"], figsize=(7, 3.5), ylim=(0, 1))
axes.set(xlabel="after the layer", ylabel="accuracy of a linear probe")
axes.grid(alpha=0.3)

# %% [markdown]
# Two things to see. Even an untrained network is better to read than the raw signal: random convolutions are
# features, too. And the curve of the trained one goes up and comes down again *before* the end.
#
# **Change it.**
# - Is the fall at the end only because the last layer has 16 numbers and the others 125 or more? Give each probe 16
#   principal components: `linear_probe(..., components=16)`.
# - `SimCLR("none", 1)` has no projector. Then the last *convolution* is the output. What happens to it?
# - `SimCLR(..., temperature=0.1)`, or 5.

# %% [markdown]
# ## The study
#
# Three projectors, 200 epochs, five seeds, twice: on the published data and on fresh ones. The best layer is chosen
# on validation examples and measured on others. Whoever picks the best of seven layers on the test set finds a peak
# in pure noise.

# %%
study = STUDIES["self-supervision"]
paper = committed_result(study.name)
display(study.figures["figure"](paper))

# %%
verdicts = verdict_table(study, paper)
display(verdicts.loc[verdicts.kind == "statement", ["statement", "finding", "contrast", "needed", "n"]])

# %% [markdown]
# The clusters by eye: the output space before and after the training. Remember that t-SNE shows neighbourhoods, not
# distances.

# %%
display(study.figures["tsne"](paper))

# %% [markdown]
# ## Run it yourself
#
# "smoke" takes seconds: two epochs on 400 signals. "quick" takes minutes and 30 epochs. The numbers of two epochs say
# nothing about the claims; the figure says what will be in it.

# %%
PRESET = "smoke"

result = study.run(PRESET)
study.figures["figure"](result)
