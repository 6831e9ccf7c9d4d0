"""The API of our own, `/api/v1`: one file for each thing one can ask about."""
