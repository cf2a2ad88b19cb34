"""The checks, by topic. Each is a numbered function that compares and raises."""
