"""Read-only web pages on an archive, served by `scrapy browse`."""
