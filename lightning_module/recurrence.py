"""Bidirectional GRUs over scalar sequences, many at once, with a backward pass written by hand.

A step of the recurrence is too small to keep a processor busy: with 6 hidden units and 100 sequences, `nn.GRU` spends
most of its time on the way to its kernels. So here a step is six kernels forward and three backward, for both
directions of all the GRUs together:

- **One product gives all gates.** The state of a step is kept as the rows [h, x, 1], with the sequences as the last
  axis, so a matrix with the rows [reset, update, hidden part of the candidate, input part of the candidate] holds the
  weights of h, those of x and the biases.
- **The hyperbolic tangent is a sigmoid**, tanh(u) = 2 sigmoid(2u) - 1, which takes a seventh of its time on a CPU. The
  rows of the candidate hold twice its weights.
- **Each gate's gradient is the state's gradient times a factor** that is known before the backward recurrence starts.
  They are worked out for as many steps at once as the processor's cache holds.

The equations are those of `torch.nn.GRU`. Source: Cho et al., "Learning Phrase Representations using RNN
Encoder-Decoder", EMNLP 2014, with the reset gate after the product, as in cuDNN.
"""

from typing import Any

import torch
from torch import Tensor, nn

# Numbers in the buffer of the backward pass: 1 MB in float32, a core's own cache.
BLOCK = 2**18

# Hidden units of the widest GRU that is faster here than in torch: beyond it the products take all the time.
WIDEST = 64


def gru_states(x: Tensor, *parameters: Tensor) -> Tensor:
    """Returns the states of k bidirectional GRUs that start from zero.

    The gradient can be taken once; for a second derivative use `nn.GRU`.

    Args:
        x: The sequences, (batch, length) for all GRUs or (k, batch, length).
        parameters: Those of `nn.GRU(1, hidden, bidirectional=True)`, in its order, stacked: for each direction
            weight_ih (k, 3 * hidden, 1), weight_hh (k, 3 * hidden, hidden), bias_ih and bias_hh (k, 3 * hidden).

    Returns:
        States (k, 2, length + 1, hidden + 2, batch): `[:, d, t, :hidden]` is the state of direction d after t points.
        Direction 1 reads the sequence from its end. The last two rows, the next point and 1, have no gradient.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *parameters)):
        return _Recurrence.apply(x, *parameters)  # type: ignore[no-any-return,no-untyped-call]
    return _run(x, _matrix(parameters), keep_gates=False)[0]


class BidirectionalGRU(nn.GRU):
    """`nn.GRU(1, hidden_size, batch_first=True, bidirectional=True)`, at a quarter of its time on a CPU.

    Parameters, their names, initialisation and results are those of `nn.GRU`; where another way is faster (cuDNN, more
    than 64 hidden units) or the only one (mixed precision, export, compilation), it is `nn.GRU` that runs.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__(1, hidden_size, batch_first=True, bidirectional=True)

    def forward(  # type: ignore[override]  # of a packed sequence it knows nothing
        self, x: Tensor, hx: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Returns the states (batch, length, 2 * hidden) over sequences (batch, length, 1), and the last ones (2, ...).

        A first state `hx` other than zero is left to `nn.GRU`.
        """
        if hx is not None or x.dim() != 3 or self.hidden_size > WIDEST or not _runs_here(x):
            return super().forward(x, hx)
        weights = [parameter.unsqueeze(0) for parameter in self.parameters()]
        states = gru_states(x.squeeze(2), *weights)[0, :, 1:, : self.hidden_size]  # (2, length, hidden, batch)
        both = torch.cat([states[0], states[1].flip(0)], dim=1)  # (length, 2 * hidden, batch)
        return both.permute(2, 0, 1), states[:, -1].transpose(1, 2)


def _runs_here(x: Tensor) -> bool:
    exported = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return x.device.type == "cpu" and not exported and not torch.is_autocast_enabled("cpu")


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *parameters: Tensor) -> Tensor:
        matrix = _matrix(parameters)
        states, gates = _run(x, matrix, keep_gates=True)
        ctx.save_for_backward(matrix, states, gates)
        ctx.own_signals = x.dim() == 3
        return states

    @staticmethod
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # by create_graph=True; what follows would be constants
            raise RuntimeError("this GRU can be differentiated once; for a second derivative use torch.nn.GRU")
        matrix, states, gates = ctx.saved_tensors
        d_matrix, d_x = _gradients(matrix, states, gates, d_states, of_x=ctx.needs_input_grad[0])
        if d_x is not None and not ctx.own_signals:
            d_x = d_x.sum(0)
        return (d_x, *_parameters(d_matrix))


def _matrix(parameters: tuple[Tensor, ...]) -> Tensor:
    """Returns the gates' weights of [h, x, 1], (2 * k, 4 * hidden, hidden + 2); see the head of this file."""
    k, rows, hidden = parameters[1].shape
    matrix = parameters[1].new_zeros(k, 2, 4 * hidden, hidden + 2)
    for direction in (0, 1):
        weight_ih, weight_hh, bias_ih, bias_hh = (p.detach() for p in parameters[4 * direction : 4 * direction + 4])
        part = matrix[:, direction]
        part[:, :rows, :hidden] = weight_hh
        part[:, :rows, hidden + 1] = bias_hh
        part[:, : 2 * hidden, hidden] = weight_ih[:, : 2 * hidden, 0]
        part[:, : 2 * hidden, hidden + 1] += bias_ih[:, : 2 * hidden]
        part[:, rows:, hidden] = weight_ih[:, 2 * hidden :, 0]
        part[:, rows:, hidden + 1] = bias_ih[:, 2 * hidden :]
    matrix[:, :, 2 * hidden :] *= 2
    return matrix.view(2 * k, 4 * hidden, hidden + 2)


def _parameters(matrix: Tensor) -> list[Tensor]:
    """Returns the gradients of the parameters, from that of the matrix (k, 2, 4 * hidden, hidden + 2)."""
    hidden = matrix.shape[2] // 4
    gradients = []
    matrix[:, :, 2 * hidden :] *= 2
    for part in matrix.unbind(1):
        of_input = torch.cat([part[:, : 2 * hidden, hidden:], part[:, 3 * hidden :, hidden:]], dim=1)
        of_state = part[:, : 3 * hidden]
        gradients += [of_input[..., :1], of_state[..., :hidden], of_input[..., 1], of_state[..., hidden + 1]]
    return gradients


def _run(x: Tensor, matrix: Tensor, *, keep_gates: bool) -> tuple[Tensor, Tensor]:
    """Returns states (k, 2, length + 1, hidden + 2, batch) and gates (length, 2 * k, 4 * hidden, batch).

    The gates are in the order of the matrix's rows, after their activations; of one step only, unless they are to be
    kept.
    """
    lanes, rows, hidden = matrix.shape[0], matrix.shape[1], matrix.shape[1] // 4
    batch, length = x.shape[-2:]
    states = matrix.new_empty(lanes // 2, 2, length + 1, hidden + 2, batch)
    states[:, :, 0, :hidden] = 0
    states[:, 0, :length, hidden] = x.transpose(-1, -2)
    states[:, 1, :length, hidden] = x.transpose(-1, -2).flip(-2)
    states[:, :, length, hidden] = 0
    states[:, :, :, hidden + 1] = 1

    gates = matrix.new_empty(length if keep_gates else 1, lanes, rows, batch)
    # The views of all steps, made in one call each: to slice in the loop would cost as much as a kernel.
    repeat = 1 if keep_gates else length
    gate = gates.unbind(0) * repeat
    sigmoids = gates[:, :, : 2 * hidden].unbind(0) * repeat
    reset, update, of_state, candidate = (part.unbind(0) * repeat for part in torch.split(gates, hidden, dim=2))
    minus_one = gates.new_full((), -1)
    row = states.view(lanes, length + 1, hidden + 2, batch)
    h, state = row[:, :, :hidden].unbind(1), row.unbind(1)
    for t in range(length):
        torch.bmm(matrix, state[t], out=gate[t])
        sigmoids[t].sigmoid_()
        candidate[t].addcmul_(reset[t], of_state[t]).sigmoid_()
        torch.add(minus_one, candidate[t], alpha=2, out=candidate[t])
        torch.lerp(candidate[t], h[t], update[t], out=h[t + 1])
    return states, gates


def _gradients(
    matrix: Tensor, states: Tensor, gates: Tensor, d_states: Tensor, *, of_x: bool
) -> tuple[Tensor, Tensor | None]:
    """Returns the gradients of the matrix, (k, 2, 4 * hidden, hidden + 2), and of the signals, (k, batch, length)."""
    length, lanes, rows, batch = gates.shape
    hidden = rows // 4
    state = states.view(lanes, length + 1, hidden + 2, batch).transpose(0, 1)
    d_outside = d_states.reshape(lanes, length + 1, hidden + 2, batch)[:, :, :hidden].unbind(1)
    update = torch.split(gates, hidden, dim=2)[1].unbind(0)
    through_state = matrix[:, : 3 * hidden, :hidden].transpose(1, 2).contiguous()  # (2 * k, hidden, 3 * hidden)
    d_matrices = matrix.new_empty(length, lanes, hidden + 2, rows)
    d_x = matrix.new_empty(length, lanes, 1, batch) if of_x else None

    block = min(length, max(1, BLOCK // gates[0].numel()))
    buffer = gates.new_empty(block, lanes, rows, batch)
    of_gates = buffer.view(block, lanes, 4, hidden, batch).unbind(0)
    with_state = buffer[:, :, : 3 * hidden].unbind(0)
    d_state = d_outside[length]
    for stop in range(length, 0, -block):
        steps = slice(max(0, stop - block), stop)
        d_gates = buffer[: steps.stop - steps.start]
        _factors(gates[steps], state[steps, :, :hidden], out=d_gates)
        for t in range(stop - 1, steps.start - 1, -1):
            of_gates[t - steps.start].mul_(d_state.unsqueeze(1))
            d_state = torch.addcmul(d_outside[t], d_state, update[t])
            d_state.baddbmm_(through_state, with_state[t - steps.start])
        # One small product for each step, the smaller matrix first, then their sum: other ways are slower.
        products = d_matrices[steps].view(-1, hidden + 2, rows)
        of_gates_last = d_gates.view(-1, rows, batch).transpose(1, 2)
        torch.bmm(state[steps].reshape(-1, hidden + 2, batch), of_gates_last, out=products)
        if d_x is not None:
            torch.matmul(matrix[:, :, hidden].unsqueeze(1), d_gates, out=d_x[steps])
    if d_x is not None:
        d_x = d_x.view(length, -1, 2, batch)
        d_x = (d_x[:, :, 0] + d_x[:, :, 1].flip(0)).permute(1, 2, 0)
    # One sum over all steps, whatever the blocks: so it does not depend on the number of GRUs.
    return d_matrices.sum(0).transpose(1, 2).view(-1, 2, rows, hidden + 2), d_x


def _factors(gates: Tensor, before: Tensor, *, out: Tensor) -> None:
    """Writes what the gradient of the state after a step is multiplied with, for the gates before their activations.

    Args:
        gates: Those of some steps, (steps, 2 * k, 4 * hidden, batch).
        before: The states before those steps, (steps, 2 * k, hidden, batch).
        out: The factors, of the shape of the gates.
    """
    hidden = before.shape[2]
    reset, update, of_state, candidate = torch.split(gates, hidden, dim=2)
    to_reset, to_update, to_state, to_candidate = torch.split(out, hidden, dim=2)
    half = gates.new_full((), 0.5)
    torch.addcmul(half, candidate, candidate, value=-0.5, out=to_candidate)  # (1 - n^2) / 2: the rows hold 2u
    to_candidate.addcmul_(update, to_candidate, value=-1)  # (1 - z) (1 - n^2) / 2
    torch.mul(to_candidate, reset, out=to_state)
    torch.mul(to_state, of_state, out=to_reset)
    to_reset.addcmul_(to_reset, reset, value=-1)  # (1 - z) (1 - n^2) m r (1 - r), m the hidden part
    torch.sub(before, candidate, out=to_update).mul_(update)
    to_update.addcmul_(to_update, update, value=-1)  # (h - n) z (1 - z)
