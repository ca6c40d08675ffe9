"""The configuration of tasks: value types, the table of parameters, and how levels are resolved."""
