"""Scrapy extensions, one per file: they wire signals to the run."""
