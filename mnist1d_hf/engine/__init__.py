"""Where many independent tasks are done: in this process, in several of this machine, or on a Ray cluster."""
