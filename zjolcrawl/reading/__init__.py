"""Reading pages of articles, in the crawl's process or in one beside it."""
