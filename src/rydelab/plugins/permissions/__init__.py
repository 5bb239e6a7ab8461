"""Permissions that bite: who calls, what the call needs, which policies there are, and AWS's refusal.

LocalStack 4.14.0 enforces nothing. What policies allow is decided by ``rydelab.iam``; this is its seam to LocalStack.
"""
