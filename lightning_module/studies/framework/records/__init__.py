"""What a result is kept as: the head of its file, digests, and the machine and versions it was made with."""
