"""The archive as a web page that only reads: `scrapy browse`."""
