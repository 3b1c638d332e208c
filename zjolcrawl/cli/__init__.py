"""Base classes and options of the commands; not in `commands/`, where Scrapy registers each class as a command."""
