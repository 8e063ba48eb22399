"""What the analyst decides about boxes."""
