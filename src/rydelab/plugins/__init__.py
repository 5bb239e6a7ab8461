"""LocalStack plug-ins. The only code of ours that imports localstack; nothing else imports this package."""
