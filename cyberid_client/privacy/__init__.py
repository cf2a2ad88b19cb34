"""What is personal, and how it is kept out."""
