"""A relying-party library for national virtual IDs."""
