"""The engine over HTTP: scenes in pieces, every question a job, events while the model writes.

A thin shell, as the command line is one: it knows requests, limits and tokens, and decides nothing about
imagery. Needs the extra `serve`.
"""
