"""How a run's batches are spread over processors and machines."""
