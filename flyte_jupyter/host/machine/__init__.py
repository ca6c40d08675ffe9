"""What this machine has, who of the attempts may have it, and how it is kept to that."""
