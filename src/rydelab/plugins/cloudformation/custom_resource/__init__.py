"""``AWS::CloudFormation::CustomResource`` and ``Custom::…`` for LocalStack, which deploys them as nothing."""
