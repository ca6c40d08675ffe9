"""Magics: options and bodies of cells, and the tasks that they become."""
