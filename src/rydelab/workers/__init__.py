"""Runs Lambda handlers in child processes: Runtime API, deadline, logs, kill."""
