"""The report of an evaluation: one HTML file without network, Markdown, JSON."""
