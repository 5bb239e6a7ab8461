"""Runs cells: starts or finds an emulator, deploys, loads, reconciles, saves."""
