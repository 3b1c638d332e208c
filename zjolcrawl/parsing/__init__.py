"""Pure functions: bytes in, fields out. lxml only; no Scrapy, no network, no clock."""
