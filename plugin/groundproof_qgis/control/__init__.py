"""What happens when a person does something: widgets, layers and the engine connected."""
