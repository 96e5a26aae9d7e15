"""The tab Read."""
