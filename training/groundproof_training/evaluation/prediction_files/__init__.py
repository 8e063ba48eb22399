"""Files of predictions that somebody else made, as cases."""
