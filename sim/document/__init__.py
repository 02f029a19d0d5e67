"""Documents: the content of a report, and its renderers for terminal, HTML and Markdown."""
