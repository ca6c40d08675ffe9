"""Actions as pods of a Kubernetes cluster in which nothing has been installed."""
