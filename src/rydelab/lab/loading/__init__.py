"""Sends arrivals on schedule with Locust, and keeps one outcome for each."""
