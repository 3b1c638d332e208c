"""What is true of one news site alone: its hosts, columns, digital papers."""
