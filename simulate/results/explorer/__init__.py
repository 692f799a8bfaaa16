"""The explorer: one HTML file in which patients of a fit respond to sliders; its scripts and styles lie beside."""
