"""What the sources say of the data set itself: its size, its run times, its neighbours, and the sets beside it."""
