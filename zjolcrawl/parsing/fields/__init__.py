"""Converts strings from a page to values: dates, bylines, tags, text."""
