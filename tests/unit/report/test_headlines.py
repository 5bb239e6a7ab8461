from rydelab.report.headlines import headlines, load_in_words, measured, started_in_words
from rydelab.report.run import Setup
from rydelab.report.summary import RunSummary, Saturation, ThresholdResult
from tests.unit.report.test_repeats import run
from tests.unit.report.test_sentences import cell


def test_the_cells_that_recorded_everything_come_first() -> None:
    told = list(headlines(run(cell(), cell({"in_flight": 1}, design="queued"))))

    assert told == ["1 of 2 cells recorded every ride: event-driven provisioned.", "No promised ride was lost."]


def test_lost_rides_are_named_with_their_cells() -> None:
    told = list(headlines(run(cell(), cell({"lost": 1}, design="queued"))))

    assert told[1] == "Rides were promised and lost in queued provisioned."


def test_all_none_and_the_only_one_have_their_own_words() -> None:
    assert next(headlines(run(cell()))) == "Every ride was recorded, in the only cell."
    assert next(headlines(run(cell(), cell(design="queued")))) == "Every ride was recorded, in both cells."
    assert next(headlines(run(cell({"lost": 1})))) == "No cell recorded every ride (1 cell)."
    assert next(headlines(run())) == "No cell was run to its end."


def test_what_spoils_a_run_is_in_its_headlines() -> None:
    told = " ".join(
        headlines(
            run(
                cell(thresholds=(ThresholdResult("lost == 0", 0, True), ThresholdResult("p95_ms < 9", 27, False))),
                cell(design="queued", mismatches=("one too many",)),
                cell(design="microservices", saturation=Saturation(limited=True)),
            )
        )
    )

    assert "1 of 2 thresholds failed." in told
    assert "The ledger does not add up in queued provisioned: do not trust these numbers." in told
    assert "The lab itself was the bottleneck in microservices provisioned: do not compare" in told


def test_thresholds_that_all_passed_are_said_to() -> None:
    passed = cell(thresholds=(ThresholdResult("lost == 0", 0, passed=True),) * 2)

    assert "All 2 thresholds passed." in list(headlines(run(passed)))


def test_the_load_is_told_in_words_as_far_as_it_is_known() -> None:
    phases = [{"duration_s": 60.0, "arrivals_per_s": 1.0}, {"duration_s": 20.5, "arrivals_per_s": 10.0}]

    assert load_in_words(run(cell()), Setup(scenario={"phases": phases})) == (
        "1 a second for 60 s, then 10 a second for 20.5 s: 1,800 arrivals in each cell"
    )
    assert load_in_words(run(cell()), Setup()) == "1,800 arrivals in each cell"
    assert load_in_words(run(), Setup(scenario={"phases": [{"kind": "of another version"}]})) == ""


def test_the_start_is_a_date_that_is_read_alike_everywhere() -> None:
    assert started_in_words(run()) == "20 November 2026, 10:00 (UTC)"
    assert started_in_words(RunSummary("quick", "some day", ())) == "some day"


def test_a_measured_value_is_rounded_to_what_matters() -> None:
    assert [measured(value) for value in (None, 0.0, 44.512, 2792.4, 0.00123)] == [
        "nothing measured",
        "0",
        "44.5",
        "2,792",
        "0.00123",
    ]
