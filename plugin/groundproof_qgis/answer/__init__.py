"""An answer as it grows: events in, text with links out. No widgets."""
