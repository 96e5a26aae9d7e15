"""How lottery tickets were searched for and evaluated, in words."""

PROTOCOL = """
**The search.** An MLP with a residual block and 500 hidden units (276,010 parameters), on the frozen data. In round i
of 100 each layer loses the int(i / 99 * n) of its n entries with the smallest magnitudes, weights and biases
together; the others go back to their very first values; and the network is trained, cross-entropy, Adam with learning
rate 0.02, minibatches of 100 in the rows' own order. Accuracy is that after 1500 steps, but **the weights that decide
what the next round prunes are those after 1000**: the reference keeps a checkpoint every 1000 steps and goes on from
the last one. Masked entries are 0 in every step; the reference does not mask their gradients, so Adam's moments of
them run on, and since Adam works entry by entry no other entry notices. Random pruning scores all entries anew in
each of its rounds, so its masks are not nested; it is done in 25 rounds, from the same initial weights. Ticket t has
those of torch's seed 42 + t: the published trials are tickets 0 and 1.

**The ticket** is the mask of round 91: 91.9 % of all entries pruned, the "92 % sparse ticket". **This sparsity was
chosen after the curve of panel b had been seen**, by its author; it lies at the curve's top, so what is said about
"the ticket" is about a good one.

**The evaluation.** New data, drawn with seed 43, training and test split both; minibatches of 500, learning rate
0.02, 6000 steps; every network is tested on 20,000 fresh signals as well, and these decide the findings. Conditions:
as they are; all signals reversed; points permuted (the published permutation, and for the ticket four others, its
own); halves exchanged (published as "chunks", which is no more than that); and other initial weights (torch's seed
43 + t). Arms: dense, pruned at random, and the ticket, from the same initial weights; and two of ours:

- *unseeded*: the ticket with other initial weights in each training. In 2020 the notebook seeded torch, so panels c
  to e show tickets with the initial weights they were found from. Since 2024 it does not, so in the rerun of 2024 and
  in a third party's every panel is about a ticket with other weights (the search itself still goes back to its own).
  Published numbers of 2020 are therefore held against the arm with its own weights, those of 2024 against this one. A
  dense network has no mask that belongs to its weights, so both are compared with the same dense networks.
- *shuffled mask*: the ticket with its first layer's weight mask shuffled so that each unit and each input keeps as
  many as before. If this does as well, local connectivity is not the cause. With its own initial weights it also
  loses the weights that the mask had chosen; so the question is decided with other initial weights (condition f),
  where the mask is all that a ticket has.

**Adjacent weights.** Runs of 2, 3, 4 adjacent inputs kept by one hidden unit, in the ticket's first layer, over the
39, 38, 37 places where one can be. Beside them: (i) chance at the density of the weights in that mask, which is less
than 8.1 %, as biases survive more often; (ii) the mean of 200 masks with the same number kept of each unit and of
each input, by the curveball algorithm. Units without inputs, and inputs that nearly no unit keeps, make more runs
than (i) expects without any local structure; so (ii) decides. A ticket is one unit of the statistics.

**Less work for the same numbers.** Hidden units that a mask leaves without inputs or without consequences are left
out of the computation, and so are, in the backward pass of the second hidden layer, units that no example of a
minibatch activates. All their gradients are exactly 0, so nothing else changes but the order of sums: equal up to the
rounding of float32, which training amplifies, as any change of machine does. Masked entries are held at 0 by an
infinite second moment in Adam, which divides their steps to exactly 0, not by a product with the mask. Numbers below
1e-38 are taken for 0: Adam's first moments of units that have died come to such numbers, and no weight has a bit for
the steps that these would still make.

**Departures.** Steps are counted after their update: 1500, 1000 and 6000 updates where the reference's loop takes
1502, 1001 and 6001. Eight tickets, not two. A round's accuracy is taken on 20,000 fresh signals too.

**Bugs of the reference.** Runs of 4 multiply three inputs of the ticket's mask by one of the random mask's; runs are
divided by 40 instead of by the places where they can be; adjacency is that of one ticket, with errors over its hidden
units, which are not independent; the picture of the masks has round 90 beside round 91; the loop that should set the
steps of the permuted conditions sets a number that nothing reads; the data of seed 43 overwrite the file of the
frozen data.

**What to keep in mind.** All tickets are found on the same 4000 signals and evaluated on the same other 4000: an
interval is about initial weights (and permutations), not about draws of the data.
"""
