"""The generator: a recipe in, arrays out, by numpy alone."""
