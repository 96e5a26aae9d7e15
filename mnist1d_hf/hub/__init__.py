"""Data sets on the Hub and in folders of files: written, read at a revision, verified, described by a card."""
