"""SNS to Lambda and to SQS: delivery that is retried as on AWS.

LocalStack 4.14.0 tries once, through a client that repeats the request up to four times, and then has the message in
the subscription's dead-letter queue or nowhere.
"""
