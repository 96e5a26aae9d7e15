"""Where the project is published, the one place that says so. Empty until it is: then no badge is drawn."""

REPOSITORY = ""  # such as "https://github.com/owner/mnist1d-hf"
BRANCH = "main"
