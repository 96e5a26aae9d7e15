"""What the studies found, as pages: Markdown and HTML, with the verdicts in words."""
