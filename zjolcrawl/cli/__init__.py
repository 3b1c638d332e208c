"""What the commands share: their base class and options. Scrapy takes any class in `commands/` as a command."""
