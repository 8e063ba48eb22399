"""What is asked: the question, where, which pixels."""
