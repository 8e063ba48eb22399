"""The jobs as OGC API - Processes, their results as OGC API - Features."""
