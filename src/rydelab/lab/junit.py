"""A run as JUnit XML, for a CI's page of test results. Pure: values in, text out.

A cell is a test suite. Its tests: the ledger adds up, the lab did not limit it, and each of its thresholds.
"""

from xml.etree import ElementTree as ET

from rydelab.report.headlines import measured
from rydelab.report.summary import CellSummary, RunSummary


def render_junit(run: RunSummary, *, strict_saturation: bool) -> str:
    """Write *run* as JUnit XML. A cell that the lab limited is a failure with *strict_saturation*, else only said."""
    root = ET.Element("testsuites", name=f"rydelab compare {run.name}")
    for cell in run.cells:
        _suite(root, str(cell.id), cell, strict_saturation=strict_saturation)
    if run.failures:
        suite = ET.SubElement(root, "testsuite", name="run", timestamp=run.started_at)
        for failure in run.failures:
            case = ET.SubElement(suite, "testcase", classname="run", name=failure.partition(":")[0])
            ET.SubElement(case, "error", message=failure)
    for suite in root:
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, name: str, cell: CellSummary, *, strict_saturation: bool) -> None:
    suite = ET.SubElement(root, "testsuite", name=name, time=f"{sum(cell.durations_s.values()):.3f}")

    def case(what: str, failure: str | None, note: str | None = None) -> None:
        element = ET.SubElement(suite, "testcase", classname=name, name=what)
        if failure is not None:
            ET.SubElement(element, "failure", message=failure)
        elif note:
            ET.SubElement(element, "system-out").text = note

    case("the ledger adds up", "; ".join(cell.mismatches) or None)
    if cell.interrupted:
        case("the cell was run to its end", "it was stopped early")
    if cell.saturation is not None:
        reasons = "; ".join(cell.saturation.reasons) if cell.saturation.limited else None
        case(
            "the lab did not limit it",
            reasons if strict_saturation else None,
            note=f"LIMITED BY THE LAB: {reasons}" if reasons else None,
        )
    for result in cell.thresholds:
        case(result.expression, None if result.passed else f"measured {measured(result.measured)}")
