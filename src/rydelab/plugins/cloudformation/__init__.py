"""CloudFormation that does what it reports: one module for each thing that LocalStack's engine gets wrong.

``install.py`` puts them in place when LocalStack starts. The files that the modules name are LocalStack 4.14.0's, below
``localstack/services``.
"""
