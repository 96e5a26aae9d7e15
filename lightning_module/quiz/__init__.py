"""The human quiz in the terminal: signals to read, and how networks and a person did before. Loads no torch."""
