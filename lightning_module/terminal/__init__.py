"""What all commands share of a terminal: tables that fit into it, and the line that tells how far work has come."""
