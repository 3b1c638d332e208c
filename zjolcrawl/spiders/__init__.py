"""Spiders: they decide what to fetch next. No parsing and no storage here."""
