"""The commands of `mnist1d`: a module for each, imported when it is called."""
