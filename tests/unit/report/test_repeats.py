from dataclasses import replace

from rydelab.report.repeats import repeated_cells
from rydelab.report.summary import RunSummary, Saturation
from tests.unit.report.test_sentences import cell


def run(*cells: object) -> RunSummary:
    return RunSummary(name="quick", started_at="2026-11-20T10:00:00+00:00", cells=cells)  # type: ignore[arg-type]


def test_cells_come_in_the_order_of_the_designs_whatever_the_runs_was() -> None:
    names = [
        ("queued", "on-demand"),
        ("new-one", "on-demand"),
        ("queued", "provisioned"),
        ("microservices", "on-demand"),
    ]

    cells = repeated_cells(run(*(cell(design=design, table_mode=mode) for design, mode in names)))

    assert [str(one) for one in cells] == [
        "microservices on-demand",
        "queued provisioned",
        "queued on-demand",
        "new-one on-demand",
    ]


def test_variants_are_cells_of_their_own() -> None:
    assert len(repeated_cells(run(cell(), cell(variant="write_units=5")))) == 2


def test_repeats_add_their_counts_and_give_the_median_of_their_times() -> None:
    def repeat(number: int, p95_ms: float, lost: int) -> object:
        one = cell({"lost": lost}, repeat=number, throttles={"TableWriteProvisionedThroughputExceeded": number})
        return replace(one, latency=replace(one.latency, p95_ms=p95_ms), errors={"502": number})

    (repeated,) = repeated_cells(run(repeat(2, 90.0, 0), repeat(1, 30.0, 2), repeat(3, 40.0, 0)))
    total = repeated.total

    assert [one.repeat for one in repeated.repeats] == [1, 2, 3]
    assert total.arrivals == 5400 == sum(total.rows.values())
    assert total.rows["lost"] == 2
    assert total.rows["ghost"] == 0
    assert total.latency.p95_ms == 40.0
    assert total.throttles == {"TableWriteProvisionedThroughputExceeded": 6}
    assert total.errors == {"502": 6}


def test_what_one_repeat_did_not_measure_is_not_measured() -> None:
    (repeated,) = repeated_cells(run(cell(retries=4), cell(repeat=2, rewrites=None)))

    assert repeated.total.retries is None
    assert repeated.total.rewrites is None
    assert repeated.total.throttles is None


def test_one_repeat_that_the_lab_limited_spoils_them_all() -> None:
    fine, limited = Saturation(limited=False), Saturation(limited=True)

    (repeated,) = repeated_cells(run(cell(saturation=fine), cell(repeat=2, saturation=limited)))

    assert repeated.total.lab_limited
