"""Images: what one is (`image`), what it is called (`tag`), and what it comes to on this machine (`recipe_of`)."""
