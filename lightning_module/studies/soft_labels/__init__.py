"""What an exact posterior in place of a label is worth, in examples."""
