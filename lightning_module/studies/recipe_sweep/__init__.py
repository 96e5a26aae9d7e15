"""What the numbers of the recipe are worth: noise, translation and resolution varied, one at a time."""
