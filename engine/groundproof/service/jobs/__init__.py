"""Every question is a job: kept in a folder, done by a worker, told as events."""
