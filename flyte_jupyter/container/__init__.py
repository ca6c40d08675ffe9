"""Images for containers: what one is made of, which program makes it, where it is pushed to."""
