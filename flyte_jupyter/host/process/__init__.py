"""Processes: zygotes, the workers forked from them, and what an attempt does in one."""
