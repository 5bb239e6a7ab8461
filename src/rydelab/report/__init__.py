"""Turns results into text. Pure: no clock, no network, no localstack, boto3, locust or gevent."""
