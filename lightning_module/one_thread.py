"""A loss and its gradients on one thread, so that a network alone computes what it computes in an ensemble.

MKL gives each thread whole products where there are several. A single one it divides among its threads, and takes the
sums in another order or by another kernel; so a network trained alone would differ in the last digit from the same
network in an ensemble, by the number of threads. In minibatches as small as the usual ones another thread has nothing
to give, and waiting for it costs more than the product.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Minibatches up to which one thread is enough: some 0.1 ms for the largest product of the CNN.
EXAMPLES = 200


def on_one_thread(loss_of: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Returns the loss of a small minibatch, worked out on one thread, as its backward pass will be.

    Where the minibatch is not small, not on a CPU, or part of a compiled function, it is the loss as it comes.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(x) > EXAMPLES or x.device.type != "cpu" or torch.compiler.is_compiling():
        return loss_of(x, y)
    torch.set_num_threads(1)
    try:
        loss = loss_of(x, y)
    finally:
        torch.set_num_threads(threads)
    if loss.requires_grad:
        loss.register_hook(_until_the_end_of_the_backward_pass)  # type: ignore[no-untyped-call]
    return loss


def _until_the_end_of_the_backward_pass(gradient: Tensor) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    # By this method torch's own data parallelism learns when a backward pass is over; there is no public one.
    torch.autograd.Variable._execution_engine.queue_callback(lambda: torch.set_num_threads(threads))
