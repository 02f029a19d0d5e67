"""Reports on a study: what the terminal prints, figures, and one HTML file."""
