"""From the page's strings to values: dates, bylines, tags, text."""
