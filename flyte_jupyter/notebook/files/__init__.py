"""Notebook files: reading them, a task and what it needs out of them, a module made of it."""
