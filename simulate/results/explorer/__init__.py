"""An explorer: one HTML file in which patients of a fit move with sliders; its scripts and styles lie beside."""
