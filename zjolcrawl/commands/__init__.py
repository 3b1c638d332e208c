"""Scrapy commands of this project, one per module: they parse arguments and print results."""
