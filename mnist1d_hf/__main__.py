"""``python -m mnist1d_hf``: the command ``mnist1d``, which `lightning_module` of the same distribution has.

It is found by its name as it runs: this package imports nothing of that one.
"""

from runpy import run_module

if __name__ == "__main__":
    run_module("lightning_module", run_name="__main__", alter_sys=True)
