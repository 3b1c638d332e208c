"""Queries: reads for commands, the web page and the Python API, grouped by subject."""
