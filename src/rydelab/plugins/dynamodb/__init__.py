"""The DynamoDB plug-in: a front that meters and throttles as AWS does, and the store behind it."""
