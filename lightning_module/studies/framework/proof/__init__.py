"""The checks of a result: its files, its rules, its data, and cells computed anew."""
