"""Application Auto Scaling for DynamoDB: its API, its CloudFormation types, and the loop that moves capacity.

`api`, `fleet`, `target` and their like know the service and nothing of LocalStack; `service`, `dynamodb`, `cloudwatch`
and `cloudformation` are the seams. The decisions themselves are those of `rydelab.capacity.autoscaling`.
"""
