"""Networks with masks: pruned, trained, and computed without what is always zero."""
