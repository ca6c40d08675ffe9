"""The override panel: a form for one call of a task, and the line of code that it stands for."""
