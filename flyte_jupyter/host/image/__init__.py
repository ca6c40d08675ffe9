"""Images on this machine: virtual environments that are built, shared and removed."""
