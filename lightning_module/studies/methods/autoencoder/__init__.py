"""Networks trained to give signals back, with some of their points hidden or none."""
