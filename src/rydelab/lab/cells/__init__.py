"""Runs one cell, watches it, and finds out where each ride ended."""
