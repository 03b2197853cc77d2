"""Charts as SVG, drawn with the page's own colours."""
