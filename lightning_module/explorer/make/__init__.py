"""The tab Make."""
