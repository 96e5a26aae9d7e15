"""A study: mnist1d study run template/."""
