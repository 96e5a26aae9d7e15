"""The numbers of the lottery ticket study."""

from dataclasses import dataclass

from lightning_module.studies.framework.cells import Config, later

FIRST_TUNING = 100  # the first of the tickets that learning rates are chosen by


@dataclass(frozen=True, kw_only=True)
class LotteryConfig(Config):
    """The numbers of the lottery tickets.

    Attributes:
        seeds: Number of tickets; ticket t starts from the initialisation of torch's seed 42 + t.
        hidden_size: Hidden units of the MLP.
        rounds: Rounds of pruning, from no entry to all of them in equal steps.
        ticket_round: The round whose mask is the ticket, counted from 0.
        random_rounds: Rounds in which networks are pruned at random as well, more of them where accuracy falls.
        steps: Optimiser steps of a round; the accuracy after them counts.
        prune_step: The step whose weights are pruned by, a multiple of `every`.
        every: Steps between two evaluations on the test split.
        batch_size: Examples in a minibatch of the search.
        lr: Learning rate.
        evaluation_steps: Optimiser steps of the evaluation of a ticket.
        evaluation_batch_size: Examples in a minibatch of the evaluation.
        data_seed: Seed of the data that tickets are evaluated on.
        permutations: Permutations of the points for each ticket; the first is the published one.
        tests: Examples in the fresh test sets.
        null_samples: Masks drawn with the row and column sums of a ticket's.
        rates: Learning rates that each arm chooses from, by the validation of tickets of their own; () for `lr` alone.
        tuning: Number of those tickets.

    Raises:
        ValueError: If the ticket or a round of random pruning is no round, or the step that is pruned by is at no
            evaluation.
    """

    seeds: int = 8
    hidden_size: int = 500
    rounds: int = 100
    ticket_round: int = 91
    random_rounds: tuple[int, ...] = (
        *(0, 10, 20, 30, 40, 50, 55, 60, 65, 70, 75, 78, 80, 82, 85, 87),
        *(90, 91, 92, 94, 95, 96, 97, 98, 99),
    )
    steps: int = 1500
    prune_step: int = 1000
    every: int = 100
    batch_size: int = 100
    lr: float = 2e-2
    evaluation_steps: int = 6000
    evaluation_batch_size: int = 500
    data_seed: int = 43
    permutations: int = 5
    tests: int = 20_000
    null_samples: int = 200
    rates: tuple[float, ...] = later(())
    tuning: int = later(0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.ticket_round < self.rounds:
            raise ValueError(
                f"ticket_round={self.ticket_round} must be in 0..{self.rounds - 1}, for {self.rounds} rounds"
            )
        if not set(self.random_rounds) <= set(range(self.rounds)):
            raise ValueError(f"random_rounds={self.random_rounds} must be in 0..{self.rounds - 1}")
        if self.prune_step % self.every or not 0 < self.prune_step <= self.steps:
            raise ValueError(
                f"prune_step={self.prune_step} must be a multiple of every={self.every} and at most steps={self.steps}"
            )
        if bool(self.rates) != (self.tuning > 0):
            raise ValueError(
                f"rates={self.rates} and tuning={self.tuning} go together: rates are chosen by such tickets"
            )
        if set(self.tuning_tickets) & set(self.seed_range):
            raise ValueError(f"first_seed={self.first_seed}: tickets {FIRST_TUNING} and so on are for choosing rates")

    @property
    def tuning_tickets(self) -> range:
        """Returns the tickets that learning rates are chosen by, which are none of those that are reported."""
        return range(FIRST_TUNING, FIRST_TUNING + self.tuning)
