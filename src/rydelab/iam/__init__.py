"""PURE: IAM policy documents and what they allow. No clock, no input or output, nothing of LocalStack.

Source: AWS IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements reference". No library was found that
evaluates them: moto's ignores resources and all conditions but StringEquals, PMapper's is unmaintained since 2022, the
others simulate service control policies only; the one complete evaluation is for Node.
"""
