"""Triggers: when they fire, what is kept of them, and the runs that they start."""
