"""How MNIST-1D was compared with other data sets, in words."""

PROTOCOL = """
**Equal n.** Every data set gives 4,000 examples to train on, 1,000 to choose a learning rate by, and the rest to test:
of MNIST-1D a new draw for each seed and 20,000 test examples that all seeds share; of a set of limited size a random
part for each seed, the parts of two seeds overlapping. Scikit-learn's digits have 1,797 examples: 1,237 to train on,
200 to validate, 360 to test, and MNIST-1D beside them has the same 1,237 and 200 ("small"). If MNIST comes with its
60,000 + 10,000 images, the three networks are also trained on 59,000 of them, 1,000 choosing the learning rate
("whole"); a file of 10,000 digits has no such row, and the published 94 / 99+ / 99+ are then not tested.
What could not be had is in the table `sets`, with the reason.

**Networks.** Logistic regression; the MLP of the MNIST-1D benchmark, 100 hidden units and a residual block; a CNN of
three strided convolutions: that of the benchmark for MNIST-1D (5,210 parameters), and one with two dimensions, 8, 16
and 16 channels and kernels of 5 x 5, 3 x 3 and 3 x 3, for images (6,266 parameters for MNIST, 4,346 for digits, whose
first convolution is not strided). Two moons and make_classification have features without neighbours, and no CNN.

**Training.** That of the benchmark: Adam, cross-entropy, batches of 100 in a fixed order, 6,000 steps, the last step
counts. How the source trained on MNIST is not published. A learning rate that suits one data set only would decide the
comparison, so each seed and network has three (0.001, 0.003, 0.01; the benchmark's is 0.01), and validation chooses:
equal trials everywhere. All three are in the rows.

**Differences.** Accuracies saturate, so two networks are compared by the difference of their log-odds of being right,
log(right / wrong) with half an example added to both, seed by seed; and by the number of seeds with which a paired
t test at the 5 % level sees a difference as large as the one found, 80 times out of 100. The spread that this number
is made of is that of 5 seeds, so the number may be half or several times as large. Test examples are part of the
spread where every seed has its own.

**Without a network.** Chance, the majority class, 1, 5 and 10 nearest neighbours (Euclidean, pixels), a linear probe
(standardised, scikit-learn's logistic regression, tolerance 0.01), on the same parts, and on the frozen data set as
published. The published 32.8 % of the probe are from a scikit-learn of 2024.

**t-SNE.** openTSNE with its defaults (perplexity 30), at 5,000 examples of each set; the published figure shows 70,000
images of MNIST beside 5,000 signals. Its numbers: the final Kullback-Leibler divergence; how often the ten nearest of
the other points vote for an example's class ("agreement"), in the picture and in pixels; the silhouette of the classes
in the picture. "Frozen" are the 5,000 published signals, and only the seed of t-SNE differs.

**"20 times smaller"** is 784 / 40 = 19.6 in dimensions; as stored, 784 bytes against 160, it is 4.9.
"""
