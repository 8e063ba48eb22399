"""groundproof: ask imagery a question and check the answer."""
