"""The words of the pages, one file for each language, and the style of all."""
