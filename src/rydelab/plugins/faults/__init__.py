"""Faults on purpose: the lab does to a function, a table, a queue, a topic or itself what it is told to.

LocalStack has nothing like it but coin tosses for DynamoDB and Kinesis that are set before it starts.
"""
