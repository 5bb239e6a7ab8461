"""SQS to Lambda: the event source mapping, as AWS runs it.

LocalStack 4.14.0 takes one batch at a time with a pause of 1 to 10 s between two polls, reads no ScalingConfig, takes a
throttled invocation for a failed one, an answer that is no JSON for a success, and writes JSON bodies anew.
"""
