"""The kernel `flyte-python`, its specification for Jupyter, and a whole kernel under a TaskEnvironment."""
