"""Parses pages: bytes in, fields out. Only lxml and the site's description; no Scrapy, no network, no clock."""
