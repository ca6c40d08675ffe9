"""What is asked of a cluster: a `PodRequest` as a Job. Pure: nothing here knows the cluster's API."""
