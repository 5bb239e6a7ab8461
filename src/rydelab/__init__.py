"""A laboratory for serverless designs on one machine. See README.md."""
