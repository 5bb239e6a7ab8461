import pytest

from rydelab.lab.cells.saturation import judge
from rydelab.lab.cells.watch import Busy, Probe
from rydelab.report.summary import Saturation


def judged(
    *, late: int = 0, probe_s: float = 0.002, slow: int = 0, emulator: float | None = 0.4, processors: float = 0.5
) -> Saturation:
    """Judge a load of 1,000 arrivals with 100 probes, *slow* of which took 300 ms."""
    probes = [Probe(float(number), 0.3 if number < slow else probe_s) for number in range(100)]
    return judge(
        arrivals=1000,
        late=late,
        late_s=0.05,
        at_rest=[Probe(0.0, 0.001), Probe(0.1, 0.0015), Probe(0.2, 0.09)],
        probes=probes,
        busy=[Busy(float(number), processors, emulator) for number in range(10)],
    )


def test_a_lab_that_answers_at_once_did_not_limit_anything() -> None:
    verdict = judged()

    assert not verdict.limited
    assert verdict.reasons == ()
    assert (verdict.probe_p95_ms, verdict.probe_at_rest_ms) == (2.0, 1.5)
    assert (verdict.gateway_busy_ratio, verdict.cpu_busy_ratio) == (0.4, 0.5)


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"late": 11}, "11 of 1000 arrivals were sent more than 50 ms late"),
        ({"slow": 6}, "one request in twenty that does no work took 300 ms or longer, 1.5 ms at rest"),
        ({"emulator": 0.97}, "the emulator's process used 97% of the one processor that it can use"),
    ],
)
def test_each_sign_of_a_limit_is_said(evidence: dict[str, float], reason: str) -> None:
    verdict = judged(**evidence)  # type: ignore[arg-type]

    assert verdict.limited
    assert verdict.reasons == (reason,)


@pytest.mark.parametrize("evidence", [{"late": 10}, {"slow": 5}, {"emulator": 0.95}, {"processors": 1.0}])
def test_what_is_only_busy_is_not_limited(evidence: dict[str, float]) -> None:
    assert not judged(**evidence).limited  # type: ignore[arg-type]


def test_without_evidence_there_is_no_verdict_against_it() -> None:
    verdict = judge(arrivals=0, late=0, late_s=0.05, at_rest=[], probes=[], busy=[])

    assert verdict == Saturation(limited=False)


def test_an_emulator_elsewhere_has_no_share_of_a_processor() -> None:
    assert judged(emulator=None).gateway_busy_ratio is None
