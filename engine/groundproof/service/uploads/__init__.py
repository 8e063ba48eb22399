"""Scenes that clients send: decoded apart, kept in pieces, made one file."""
