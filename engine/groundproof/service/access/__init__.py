"""Who may speak to the service, how much they may send, and what they may point at."""
