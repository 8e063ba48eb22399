"""What pixels are sent: frozen when the question is asked, read while it is sent."""
