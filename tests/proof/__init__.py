"""The proof that the asynchronous designs lose no ride, whatever is done to them: ``python -m tests.proof``."""
