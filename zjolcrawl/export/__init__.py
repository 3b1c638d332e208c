"""Exports articles to files (JSON Lines, CSV, Parquet) and imports them from JSON Lines."""
