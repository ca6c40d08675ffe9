"""What is answered: a function for each route, from what a server knows (`here`)."""
