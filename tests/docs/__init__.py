"""The pages of README.md and docs/: links, commands and snippets as printed, and the generated reference."""
