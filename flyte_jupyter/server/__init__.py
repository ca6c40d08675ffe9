"""The Jupyter server extension: what this user runs, for front ends, with no kernel."""
