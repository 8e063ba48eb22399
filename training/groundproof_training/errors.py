"""What a person who prepares data or trains can put right: one sentence each. Knows no models and no files."""


class TrainingError(Exception):
    """Says what was got, what is allowed and what to do; the command line prints it and ends with exit code 2."""
