"""An answer on paper: one file with everything that supports it and everything that weakens it."""
