"""What was done in the activation study, in words."""

PROTOCOL = """
**Meta-training.** An MLP, 40 to 128 to 10, is trained for 301 steps on minibatches of 100 in the rows' own order, by
RMSprop with a short memory (squared gradients: 0.4 of the old, 0.6 of the new, beginning at 1; learning rate 0.01).
Its activation function is f(x) = ELU(x) + 0.2 m(x), where m is an MLP with one hidden layer of 100 tanh units. Uniform
noise of up to 0.1 is added to the hidden units of both, one number for each unit and step. The mean of the last 200
losses is differentiated by the 301 weights of m through all updates; the gradient is clamped to 0.1 and followed with
learning rate 0.3, 301 times. The data are 8000 training examples of a draw of 10,000 by the published generator, seed
42; accuracies are those on the first 500 test examples, with noise.

The order of the random draws is the reference's, as it decides the result: the reference seeds the generator in every
inner training, so from the second outer step on initial weights and noise are always the same, and which initial
weights these are depends on every number that evaluations and plots have drawn before. So the function is fitted to one
initialisation and one noise. Five meta-trainings with other seeds stand beside the published one.

**Published comparison (frozen arm)**: the same data, steps and noise for ReLU, ELU, Swish, tanh, softplus and sigmoid.

**Fair test (fresh arm)**: one function, that of the published run, is not trained any more. It and the others are used
in 20 networks, each with its own initialisation and its own draw of 8000 training examples, and tested on 20,000 fresh
examples after the last step, without noise. All losses are means over the same steps. First in the published setting;
then *tuned*: each function, also the learned one, with the learning rate and the factors of its input and its output,
f -> b f(a x), of the highest accuracy among 5 x 4 x 4, chosen on four initialisations and draws of their own and 2000
unseen examples. What a mere change of scale or of the learning rate would do as well is no merit of the shape.

**Straight lines**: the published stand-in (`piecewise`), and the continuous one with the same knots that is nearest to
our function (`straightened`).

**Transfer**: a CNN of three 3 x 3 convolutions with 8, 16 and 16 channels and a linear layer, Adam, 400 steps on
minibatches of 100, the learning rate chosen for each function on validation examples; five initialisations, each with
its own part of the images. The early loss is the mean of the first 100 training losses. Data sets that could not be had
are in the table `missing`, with the reason.

Departures: the activation function is read from a table with its derivatives, exact to float32's rounding, in which the
function is straight beyond -32 and 32; the largest input met is in the table `outer`. The fair test and the transfer
use the function without the noise on its own hidden units, which would shift it up and down.

Bugs of the reference found on the way: a condition that means to evaluate in every 400th inner step evaluates in every
step but those; the paper describes two hidden layers where the code has one; the stand-in is 0 at its knots; the loss
of the learned function printed beside those of the others is a mean over outer steps and over the last 200 inner steps,
and theirs are over all inner steps; the comparison has one seed, for which the learned function was optimised.
"""
