"""The Lambda guides under load: a function through the SDK, a function behind API Gateway, and a state machine.

Found by `locust -f loadtests/` when the service lambda-guides is deployed; see rides.py for how targets are found. Only
these: `locust -f loadtests/ InvokerUser TransactionUser PurchaseUser`.
"""

import json
import random
import uuid

import gevent
from locust import task

from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.loading.load_users import PathUser, SdkFailedError, SdkUser, prepare

POLL_INTERVAL_S = 0.05


class InvokerUser(SdkUser):
    """Invokes the function that invokes another one."""

    service = "lambda"
    needs = "the service lambda-guides"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the name of Invoker."""
        return deployment.outputs.get("lambda-guides", {}).get("InvokerName")

    @task
    def invoke(self) -> None:
        """Invoke it for a customer."""
        with self.measured("Invoker"):
            answer = self.client.invoke(FunctionName=self.target, Payload=json.dumps({"CustomerId": "123"}))
            payload = json.load(answer["Payload"])
            if "FunctionError" in answer:
                raise SdkFailedError(f"{payload.get('errorType')}: {payload.get('errorMessage')}")


class TransactionUser(PathUser):
    """Has transactions processed through API Gateway."""

    needs = "the service lambda-guides"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the URL of the transaction processor."""
        return deployment.outputs.get("lambda-guides", {}).get("TransactionsUrl")

    @task
    def get_transaction(self) -> None:
        """Have a transaction processed."""
        query = f"transactionId={uuid.uuid4()}&type=PURCHASE&amount=12.50"
        self.client.get(f"{self.target}?{query}", name="TransactionProcessor")


class PurchaseUser(SdkUser):
    """Executes the state machine, from its start until it has ended."""

    service = "stepfunctions"
    needs = "the service lambda-guides"

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return the ARN of the state machine."""
        return deployment.outputs.get("lambda-guides", {}).get("PurchaseStateMachineArn")

    @task
    def execute(self) -> None:
        """Execute it with a purchase or a refund."""
        transaction = json.dumps({"TransactionType": random.choice(("PURCHASE", "REFUND"))})
        with self.measured("PurchaseStateMachine"):
            execution = self.client.start_execution(stateMachineArn=self.target, input=transaction)["executionArn"]
            while (ended := self.client.describe_execution(executionArn=execution))["status"] == "RUNNING":
                gevent.sleep(POLL_INTERVAL_S)
            if ended["status"] != "SUCCEEDED":
                raise SdkFailedError(f"{ended['status']}: {ended.get('error')}: {ended.get('cause')}")


prepare()
