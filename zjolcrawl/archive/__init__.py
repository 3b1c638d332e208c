"""WARC writing and reading: the raw bytes of every response, for ever."""
