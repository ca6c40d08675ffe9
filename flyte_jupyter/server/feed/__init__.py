"""What a server knows of all runs, live; `feed` is what others use."""
