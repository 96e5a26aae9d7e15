"""How the loss beyond the exact posterior falls with the number of examples, and whether that can be predicted."""
