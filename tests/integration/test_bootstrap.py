"""Deploying with CloudFormation: what is deployed, what is left alone, and what a failure says."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import bootstrap

GREETER = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
  Greeting: {Type: String, Default: hello}
  Broken: {Type: String, Default: "no"}
  Listening: {Type: String, Default: "no"}
Conditions:
  IsBroken: !Equals [!Ref Broken, "yes"]
  IsListening: !Equals [!Ref Listening, "yes"]
Resources:
  Refused:
    Type: AWS::SSM::Parameter
    Condition: IsBroken
    Properties: {Type: NoSuchType, Name: !Sub "/greeter/${Stage}/refused", Value: x}
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
      Environment:
        Variables:
          GREETING: !Ref Greeting
          # It asks for a queue that only the condition makes.
          QUEUE_ARN: !If [IsListening, !GetAtt Queue.Arn, !Ref AWS::NoValue]
  Queue:
    Type: AWS::SQS::Queue
    Condition: IsListening
  GreetingParameter:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: !Sub "/greeter/${Stage}/greeting", Value: !Ref Greeting}
Outputs:
  GreetName: {Value: !Ref Greet}
  QueueUrl: {Condition: IsListening, Value: !Ref Queue}
  Greeting: {Value: !Ref Greeting, Export: {Name: !Sub "greeter-${Stage}-Greeting"}}
"""

GREETER_CODE = """
import os

def handler(event, context):
    print("greeting", event.get("name"))
    if event.get("fail"):
        raise ValueError("asked to fail")
    return f"{os.environ['GREETING']} {event['name']}"
"""

LISTENER = """
Parameters:
  Stage: {Type: String}
Resources:
  FromParameter:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Name: !Sub "/listener/${Stage}/from-parameter"
      Value: !Sub "heard {{resolve:ssm:/greeter/${Stage}/greeting}}"
  FromExport:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Name: !Sub "/listener/${Stage}/from-export"
      Value: !Sub
        - "heard ${Greeting}"
        - Greeting: !ImportValue {"Fn::Sub": "greeter-${Stage}-Greeting"}
"""


@dataclass
class Site:
    """A folder of services, the stage under which they are deployed, and what was reported."""

    target: bootstrap.Target
    folder: Path
    stage: str
    lab: Any
    lines: list[str] = field(default_factory=list)

    def write(self, service: str, template: str, code: str = GREETER_CODE) -> None:
        """Write *service*, with *code* as its app.py."""
        (self.folder / service / "src").mkdir(parents=True, exist_ok=True)
        (self.folder / service / "src" / "app.py").write_text(code)
        (self.folder / service / "template.yaml").write_text(template)

    def deploy(self, *, services: list[str] | None = None, **parameters: str) -> bootstrap.Outputs:
        """Deploy the folder; `lines` then holds what this deployment reported."""
        self.lines.clear()
        return bootstrap.deploy(
            self.target,
            stage=self.stage,
            services_dir=self.folder,
            services=services,
            parameters=parameters,
            progress=self.lines.append,
        )

    def destroy(self, *services: str) -> list[str]:
        """Destroy *services*, or all of the stage."""
        return bootstrap.destroy(self.target, stage=self.stage, services=services or None)

    def greet(self, **event: Any) -> bootstrap.Invocation:
        """Invoke Greet with *event*."""
        return bootstrap.invoke(self.target, "Greet", json.dumps(event).encode(), stage=self.stage)

    def status(self, service: str) -> str:
        """Return the status of *service*'s stack."""
        stacks = self.lab.client("cloudformation").describe_stacks(StackName=f"{service}-{self.stage}")["Stacks"]
        status: str = stacks[0]["StackStatus"]
        return status

    def ssm_value(self, name: str) -> str:
        """Return what the SSM parameter *name* holds."""
        value: str = self.lab.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        return value

    def event_count(self, service: str) -> int:
        """Return how much has happened to *service*'s stack."""
        events = self.lab.client("cloudformation").describe_stack_events(StackName=f"{service}-{self.stage}")
        return len(events["StackEvents"])


def _site(lab: Any, folder: Path) -> Site:
    return Site(bootstrap.Target(lab.endpoint_url), folder, f"t{uuid.uuid4().hex[:8]}", lab)


@pytest.fixture
def site(lab: Any, tmp_path: Path) -> Iterator[Site]:
    site = _site(lab, tmp_path)
    site.write("greeter", GREETER)
    yield site
    site.destroy()


def test_a_deployed_function_answers(site: Site) -> None:
    outputs = site.deploy()

    assert json.loads(site.greet(name="Rocinante").payload) == "hello Rocinante"
    assert outputs["greeter"]["Greeting"] == "hello"
    assert outputs == bootstrap.outputs(site.target, stage=site.stage)
    assert any("Greet (AWS::Lambda::Function) CREATE_COMPLETE" in line for line in site.lines)


def test_unchanged_code_and_templates_deploy_nothing(site: Site) -> None:
    first = site.deploy()
    before = site.event_count("greeter")

    second = site.deploy()

    assert second == first
    assert site.event_count("greeter") == before
    assert site.lines == [f"greeter-{site.stage}: unchanged"]


def test_changed_code_is_deployed(site: Site) -> None:
    site.deploy()
    site.write("greeter", GREETER, GREETER_CODE.replace("return f", "return 'oh, ' + f"))

    site.deploy()

    assert json.loads(site.greet(name="Rocinante").payload) == "oh, hello Rocinante"
    assert not any("GreetingParameter" in line for line in site.lines)


def test_a_changed_parameter_is_deployed_and_one_not_given_goes_back_to_its_default(site: Site) -> None:
    site.deploy(Greeting="good day")
    assert json.loads(site.greet(name="you").payload) == "good day you"

    site.deploy()
    assert json.loads(site.greet(name="you").payload) == "hello you"


def test_what_a_condition_lets_in_and_leaves_out_comes_and_goes(site: Site) -> None:
    site.deploy()
    queue_url = site.deploy(Listening="yes")["greeter"]["QueueUrl"]
    sqs = site.lab.client("sqs")
    assert sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    assert "QueueUrl" not in site.deploy()["greeter"]
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])


def test_stages_live_side_by_side(site: Site, lab: Any) -> None:
    other = _site(lab, site.folder)
    site.deploy()
    other.deploy(Greeting="ahoy")

    assert json.loads(site.greet(name="you").payload) == "hello you"
    assert json.loads(other.greet(name="you").payload) == "ahoy you"

    other.destroy()

    assert json.loads(site.greet(name="you").payload) == "hello you"
    assert bootstrap.outputs(other.target, stage=other.stage) == {}


def test_a_failed_stack_says_which_resource_and_why_and_can_be_deployed_again(site: Site) -> None:
    with pytest.raises(bootstrap.DeploymentError) as failure:
        site.deploy(Broken="yes")

    assert f"greeter-{site.stage} failed: Refused (AWS::SSM::Parameter)" in str(failure.value)
    assert "NoSuchType" in str(failure.value)

    site.deploy()

    assert json.loads(site.greet(name="again").payload) == "hello again"
    assert any(
        "deleting it first, since a former deployment left it in ROLLBACK_COMPLETE" in line for line in site.lines
    )


def test_a_failed_update_is_taken_back_and_the_next_one_goes_on_from_there(site: Site) -> None:
    function = site.deploy()["greeter"]["GreetName"]
    with pytest.raises(bootstrap.DeploymentError, match="Refused"):
        site.deploy(Broken="yes", Greeting="never")

    assert site.status("greeter") == "UPDATE_ROLLBACK_COMPLETE"
    assert json.loads(site.greet(name="you").payload) == "hello you"

    with pytest.raises(bootstrap.DeploymentError, match="Refused"):
        site.deploy(Broken="yes")
    assert site.deploy(Greeting="still")["greeter"]["GreetName"] == function
    assert site.status("greeter") == "UPDATE_COMPLETE"
    assert json.loads(site.greet(name="here").payload) == "still here"


def test_a_template_that_cloudformation_refuses_leaves_nothing_behind(site: Site) -> None:
    site.write("greeter", GREETER.replace("Handler: app.handler", "Handler: app.handler\n      Nonsense: 1"))

    with pytest.raises(bootstrap.DeploymentError, match=r"CloudFormation refuses the template: .*Nonsense"):
        site.deploy()

    assert bootstrap.outputs(site.target, stage=site.stage) == {}
    site.write("greeter", GREETER)
    site.deploy()
    assert not any("deleting" in line for line in site.lines)


def test_a_refused_update_leaves_the_stack_as_it_was(site: Site) -> None:
    function = site.deploy()["greeter"]["GreetName"]
    site.write("greeter", GREETER.replace("Handler: app.handler", "Handler: app.handler\n      Nonsense: 1"))
    with pytest.raises(bootstrap.DeploymentError, match="refuses"):
        site.deploy()

    site.write("greeter", GREETER)

    assert site.deploy(Greeting="still")["greeter"]["GreetName"] == function
    assert json.loads(site.greet(name="here").payload) == "still here"


def test_a_stack_that_was_changed_by_hand_is_put_right(site: Site) -> None:
    site.deploy()
    by_hand = "Resources: {GreetingParameter: {Type: AWS::SNS::Topic}}"
    cloudformation = site.lab.client("cloudformation")
    stack = f"greeter-{site.stage}"
    # With the tags of the last deployment, as `aws cloudformation deploy` keeps them.
    tags = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Tags"]
    cloudformation.create_change_set(StackName=stack, ChangeSetName="by-hand", TemplateBody=by_hand, Tags=tags)
    cloudformation.execute_change_set(StackName=stack, ChangeSetName="by-hand")
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})

    site.deploy()

    assert json.loads(site.greet(name="again").payload) == "hello again"
    assert site.ssm_value(f"/greeter/{site.stage}/greeting") == "hello"


def test_a_service_comes_after_the_one_it_needs_and_gets_its_new_values(site: Site) -> None:
    # Alphabetical order would be the wrong one.
    site.write("a-listener", LISTENER)
    site.deploy()
    began = [line for line in site.lines if line.endswith(": creating")]
    assert began == [f"greeter-{site.stage}: creating", f"a-listener-{site.stage}: creating"]

    site.deploy(Greeting="good day")

    assert site.ssm_value(f"/listener/{site.stage}/from-parameter") == "heard good day"
    assert site.ssm_value(f"/listener/{site.stage}/from-export") == "heard good day"
    site.deploy(Greeting="good day")
    assert sorted(site.lines) == [f"a-listener-{site.stage}: unchanged", f"greeter-{site.stage}: unchanged"]


def test_a_need_that_nothing_meets_is_told_before_anything_is_deployed(site: Site) -> None:
    site.write("a-listener", LISTENER)

    with pytest.raises(bootstrap.InputError) as error:
        site.deploy(services=["a-listener"])

    assert "a-listener: resource FromParameter needs SSM parameter" in str(error.value)
    assert "greeter provides it: deploy it first, or as well, with --service greeter" in str(error.value)
    assert bootstrap.outputs(site.target, stage=site.stage) == {}

    site.deploy(services=["greeter"])
    assert list(site.deploy(services=["a-listener"])) == ["a-listener"]


def test_after_a_failure_what_depends_on_it_is_left_alone(site: Site) -> None:
    site.write("a-listener", LISTENER)

    with pytest.raises(bootstrap.DeploymentError, match="therefore left as it was: a-listener"):
        site.deploy(Broken="yes")

    assert list(bootstrap.outputs(site.target, stage=site.stage)) == ["greeter"]


def test_a_service_that_another_one_needs_is_not_destroyed_alone(site: Site) -> None:
    site.write("a-listener", LISTENER)
    site.deploy()

    with pytest.raises(bootstrap.InputError, match="greeter is needed by a-listener"):
        site.destroy("greeter")
    with pytest.raises(bootstrap.InputError, match="service 'nobody' is not deployed under stage"):
        site.destroy("nobody")

    assert site.destroy("a-listener") == ["a-listener"]
    assert site.destroy() == ["greeter"]
    assert bootstrap.outputs(site.target, stage=site.stage) == {}


def test_a_stack_that_is_still_being_created_is_destroyed_with_the_others(site: Site) -> None:
    function = site.deploy()["greeter"]["GreetName"]
    waiting = {"ServiceToken": f"arn:aws:lambda:us-east-1:000000000000:function:{function}", "ServiceTimeout": "3"}
    template = {"Resources": {"NeverAnswered": {"Type": "AWS::CloudFormation::CustomResource", "Properties": waiting}}}
    cloudformation = site.lab.client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=f"half-{site.stage}",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(template),
        Tags=[{"Key": "rydelab:stage", "Value": site.stage}, {"Key": "rydelab:service", "Value": "half"}],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set["Id"])
    cloudformation.execute_change_set(ChangeSetName=change_set["Id"])
    assert site.status("half") == "CREATE_IN_PROGRESS"

    assert site.destroy() == ["greeter", "half"]
    assert bootstrap.outputs(site.target, stage=site.stage) == {}


def test_a_single_folder_is_deployed_like_a_folder_of_services(site: Site) -> None:
    outputs = bootstrap.deploy(site.target, stage=site.stage, services_dir=site.folder / "greeter")

    assert list(outputs) == ["greeter"]
    assert json.loads(site.greet(name="you").payload) == "hello you"


def test_a_template_too_long_for_a_request_goes_through_s3(site: Site) -> None:
    many = "".join(f"  Parameter{n}: {{Type: String, Default: '{'x' * 900}'}}\n" for n in range(60))
    site.write("greeter", GREETER.replace("Parameters:\n", f"Parameters:\n{many}"))

    site.deploy()

    assert json.loads(site.greet(name="you").payload) == "hello you"
    site.deploy()
    assert site.lines == [f"greeter-{site.stage}: unchanged"]


def test_two_services_whose_stacks_would_have_one_name_are_told_apart(site: Site, lab: Any) -> None:
    site.deploy()
    site.write(f"clash/greeter-{site.stage}", GREETER)

    # greeter in stage x, and greeter-x-y in no stage of its own: "greeter-x" + "-" + "y".
    other = Site(site.target, site.folder / "clash", "y", lab)
    other.deploy()
    clash = Site(site.target, site.folder, f"{site.stage}-y", lab)

    try:
        with pytest.raises(bootstrap.DeploymentError, match="choose another stage"):
            clash.deploy(services=["greeter"])
    finally:
        other.destroy()


def test_a_failed_function_gives_its_error_and_its_log(site: Site) -> None:
    site.deploy()

    invocation = site.greet(name="you", fail=True)

    assert invocation.function_error == "Unhandled"
    assert json.loads(invocation.payload)["errorMessage"] == "asked to fail"
    assert "greeting you" in invocation.log_tail


def test_an_unknown_function_is_named_with_those_that_are(site: Site) -> None:
    site.deploy()

    with pytest.raises(bootstrap.InputError, match=r"no function 'Greed' under stage .*; there is: Greet"):
        bootstrap.invoke(site.target, "Greed", b"{}", stage=site.stage)


def test_logs_are_in_order_and_can_be_followed(site: Site) -> None:
    site.deploy()
    assert list(bootstrap.logs(site.target, "Greet", stage=site.stage)) == []
    names = ["first", "second", "third"]
    for name in names:
        site.greet(name=name)

    followed = bootstrap.logs(site.target, "Greet", stage=site.stage, follow=True)
    assert _greetings(followed, until="third") == names

    site.greet(name="fourth")
    assert _greetings(followed, until="fourth") == ["fourth"]
    assert _greetings(bootstrap.logs(site.target, "Greet", stage=site.stage), until="fourth") == [*names, "fourth"]


def _greetings(lines: Iterator[str], *, until: str, within_s: float = 30) -> list[str]:
    deadline = time.monotonic() + within_s
    found = []
    for line in lines:
        if "greeting " in line:
            found.append(line.split("greeting ")[1].strip())
        if found[-1:] == [until]:
            return found
        if time.monotonic() > deadline:
            break
    pytest.fail(f"no greeting of {until}, only {found}")
