from rydelab.lab.cells.deployment import Deployment, describe


def test_a_design_without_a_topic_records_before_it_answers() -> None:
    outputs = {
        "wild-rydes": {"RequestRideUrl": "http://127.0.0.1/ride"},
        "wild-rydes-ride-record": {"RideRecordTableName": "rides"},
    }

    deployment = describe(outputs, stage="s")

    assert deployment == Deployment(
        stage="s",
        ride_url="http://127.0.0.1/ride",
        records_before_answering=True,
        record_table="rides",
        outputs=outputs,
    )


def test_a_design_with_a_topic_answers_first() -> None:
    outputs = {"wild-rydes": {"RequestRideUrl": "http://127.0.0.1/ride", "RidesSnsTopicArn": "arn:aws:sns:::rides"}}

    assert not describe(outputs, stage="s").records_before_answering


def test_a_stage_with_only_some_services_offers_only_their_paths() -> None:
    outputs = {"wild-rydes-ride-fleet": {"RequestUnicornUrl": "http://127.0.0.1/unicorn"}}

    deployment = describe(outputs, stage="s")

    assert deployment.unicorn_url == "http://127.0.0.1/unicorn"
    assert deployment.ride_url is None
    assert deployment.record_url is None
