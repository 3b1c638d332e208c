"""Parses pages: bytes in, fields out. Pure functions on lxml; no Scrapy, no network, no clock."""
