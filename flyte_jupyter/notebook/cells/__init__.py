"""Cells: what a cell needs, defines and says of places, from its source."""
