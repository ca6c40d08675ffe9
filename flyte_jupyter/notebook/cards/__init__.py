"""Cards: pure functions from the view of a run to what a front end shows."""
