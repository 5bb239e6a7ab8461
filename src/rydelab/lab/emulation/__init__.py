"""Starts, finds, confines and asks the emulator: LocalStack with our plug-ins, in a process of its own."""
