"""The exact posterior of MNIST-1D: which label, how likely at all, made how, and how well anybody could do.

Importing this needs no scipy; computing does: ``pip install 'mnist1d-hf[bayes]'``. `frozen_posterior` needs none.
"""

from mnist1d_hf.bayes.classifier import BayesClassifier
from mnist1d_hf.bayes.frozen import FrozenPosterior, frozen_posterior
from mnist1d_hf.bayes.latent import LatentPosterior, latent_posterior
from mnist1d_hf.bayes.limits import Estimate, Limits, bayes_limits
from mnist1d_hf.bayes.posterior import log_evidence, log_posterior

__all__ = [
    "BayesClassifier",
    "Estimate",
    "FrozenPosterior",
    "LatentPosterior",
    "Limits",
    "bayes_limits",
    "frozen_posterior",
    "latent_posterior",
    "log_evidence",
    "log_posterior",
]
