"""Deploys the services to an AWS endpoint. boto3 only."""
