"""What to fetch next: no parsing, no storage."""
