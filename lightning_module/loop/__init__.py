"""The training loop: examples in, steps out, at the speed of a bare loop and with all of Lightning's promises."""
