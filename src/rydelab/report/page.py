"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from rydelab.capacity.price_file import packaged_prices
from rydelab.capacity.prices import Prices
from rydelab.report.bill import money
from rydelab.report.charts import Chart, Scales, charts_of, scales_of
from rydelab.report.cost import cell_bill, cost_note, per_million_rides
from rydelab.report.designs import DESIGNS, TABLE_MODES, in_order
from rydelab.report.headlines import headlines, load_in_words, measured, notes, started_in_words
from rydelab.report.ledger_rows import LEDGER_ROWS
from rydelab.report.quantities import NOTHING, count, duration, percentiles, share, unbroken
from rydelab.report.repeats import RepeatedCell, repeated_cells
from rydelab.report.run import Run
from rydelab.report.sentences import sentence, throttle_reason
from rydelab.report.series import CellSeries, coarsen
from rydelab.report.summary import CellSummary, Saturation

MOST_INTERVALS = 360
MOST_INTERVALS_IN_ALL = 4800
"""In the charts of all cells together, so that a run of many cells stays a small file."""
LEAST_INTERVALS = 40


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of a bar, or a line of the ledger below it."""

    key: str
    label: str
    rides: int
    count: str
    share: str


@dataclass(frozen=True, slots=True)
class _Card:
    """One cell of the matrix."""

    anchor: str
    name: str
    variant: str
    cell: CellSummary
    recorded_share: str
    sentence: str
    flags: tuple[str, ...]
    bars: tuple[tuple[_Segment, ...], ...]
    """One for each repeat."""
    ledger: tuple[_Segment, ...]
    times: tuple[tuple[str, tuple[str, ...]], ...]
    """What took time, and its three percentiles, or one text in their place."""
    counts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _OverTime:
    """One cell's charts, and the numbers that belong to nothing else."""

    card: _Card
    shown: str
    """Which repeat is drawn, or in which steps; empty where there is nothing to say."""
    charts: tuple[Chart, ...]
    tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def render_page(run: Run, *, prices: Prices | None = None) -> str:
    """Draw *run* as an HTML document. *prices*: those of the package if None."""
    prices = prices or packaged_prices()
    cells = repeated_cells(run.summary)
    cards = [_card(cell, f"cell-{number}", prices) for number, cell in enumerate(cells, start=1)]
    return _template().render(
        run=run.summary,
        setup=run.setup,
        started=started_in_words(run.summary),
        load=load_in_words(run.summary, run.setup),
        headlines=list(headlines(run.summary)),
        ledger_rows=LEDGER_ROWS,
        designs=sorted({card.cell.design for card in cards}, key=lambda name: (in_order(name, DESIGNS), name)),
        table_modes=sorted(
            {card.cell.table_mode for card in cards}, key=lambda name: (in_order(name, TABLE_MODES), name)
        ),
        design_words={name: design.words for name, design in DESIGNS.items()},
        mode_words=TABLE_MODES,
        cards=cards,
        over_time=list(_over_time(run, cells, cards, prices)),
        thresholds=_thresholds(cards),
        notes=(*notes(run.summary), *filter(None, [cost_note(run.summary, prices)])),
        settings=list(_settings(run)),
        markup=_markup,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rydelab.report", "page_template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.finalize = lambda value: escape(unbroken(value)) if type(value) is str else value
    return environment.get_template("page.html")


def _card(repeated: RepeatedCell, anchor: str, prices: Prices) -> _Card:
    cell = repeated.total
    return _Card(
        anchor=anchor,
        name=str(repeated),
        variant=repeated.variant,
        cell=cell,
        recorded_share=share(cell.rows["recorded"], cell.arrivals),
        sentence=sentence(cell),
        flags=tuple(_flags(repeated)),
        bars=tuple(_segments(one) for one in repeated.repeats),
        ledger=_segments(cell),
        times=tuple(_times(repeated)),
        counts=tuple(_counts(cell, prices)),
    )


def _segments(cell: CellSummary) -> tuple[_Segment, ...]:
    return tuple(
        _Segment(row.key, row.label, rides, count(rides), share(rides, cell.arrivals))
        for row in LEDGER_ROWS
        if (rides := cell.rows[row.key])
    )


def _flags(repeated: RepeatedCell) -> Iterable[str]:
    cell = repeated.total
    if cell.mismatches:
        yield "ledger does not add up"
    if cell.lab_limited:
        yield "limited by the lab"
    if cell.interrupted:
        yield "stopped early"
    failed = sum(not result.passed for result in cell.thresholds)
    if failed:
        yield f"{failed} of {len(cell.thresholds)} thresholds failed"


def _thresholds(cards: Iterable[_Card]) -> tuple[list[str], list[tuple[_Card, list[list[tuple[str, bool]]]]]]:
    """Return the expressions, and for each cell the measured values and verdicts under each of them."""
    with_some = [card for card in cards if card.cell.thresholds]
    expressions = list(dict.fromkeys(result.expression for card in with_some for result in card.cell.thresholds))
    rows = []
    for card in with_some:
        results: dict[str, list[tuple[str, bool]]] = {expression: [] for expression in expressions}
        for result in card.cell.thresholds:
            results[result.expression].append((measured(result.measured), result.passed))
        rows.append((card, list(results.values())))
    return expressions, rows


def _times(repeated: RepeatedCell) -> Iterable[tuple[str, tuple[str, ...]]]:
    cell = repeated.total
    yield "answer", percentiles(cell.latency)
    if len(repeated.repeats) > 1:
        values = [one.latency for one in repeated.repeats]
        names = ("p50_ms", "p95_ms", "p99_ms")
        low, mid, high = (_range([getattr(value, name) for value in values]) for name in names)
        yield "its range", (low, mid, high)
    if cell.time_to_record is None:
        yield "then recorded", ("not measured",)
    elif cell.time_to_record.max_ms == 0:
        yield "then recorded", ("before the answer",)
    elif cell.time_to_record.count:
        yield "then recorded", percentiles(cell.time_to_record)
    if cell.error_latency is not None and cell.error_latency.count:
        yield "error", percentiles(cell.error_latency)


def _range(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING
    low, high = duration(min(known)), duration(max(known))
    number, _, unit = low.partition(" ")
    if low == high:
        return low
    return f"{number}-{high}" if high.endswith(unit) and " " not in unit else f"{low} - {high}"


def _counts(cell: CellSummary, prices: Prices) -> Iterable[tuple[str, str]]:
    if (cost := per_million_rides(cell, prices)) is not None:
        yield "a million rides", money(cost, prices)
    yield "throttled", "not measured" if cell.throttled is None else count(cell.throttled)
    if cell.retries is not None:
        yield "retries", count(cell.retries)
    if cell.rewrites:
        yield "written twice", count(cell.rewrites)
    if cell.late_starts:
        yield "sent late", count(cell.late_starts)


def _over_time(run: Run, cells: Iterable[RepeatedCell], cards: Iterable[_Card], prices: Prices) -> Iterable[_OverTime]:
    shown = [(cell, card, run.series.get(cell.repeats[0].id)) for cell, card in zip(cells, cards, strict=True)]
    most = max(LEAST_INTERVALS, min(MOST_INTERVALS, MOST_INTERVALS_IN_ALL // max(1, len(shown))))
    coarse = {
        series.cell: coarsen(series, most_intervals=most) for _, _, series in shown if series and series.intervals
    }
    scales = scales_of(list(coarse.values()))
    for cell, card, series in shown:
        drawn = coarse.get(series.cell) if series else None
        yield _OverTime(
            card=card,
            shown=_shown(cell, drawn),
            charts=_charts(drawn, scales),
            tables=tuple(
                (title, rows)
                for title, rows in _tables(card.cell, prices, is_simulated=run.summary.simulated is not None)
                if rows
            ),
        )


def _charts(series: CellSeries | None, scales: Scales) -> tuple[Chart, ...]:
    return charts_of(series, scales) if series else ()


def _shown(cell: RepeatedCell, series: CellSeries | None) -> str:
    if series is None:
        return "Nothing was saved over time for this cell."
    parts = []
    if len(cell.repeats) > 1:
        parts.append(f"Repeat {cell.repeats[0].repeat} of {len(cell.repeats)}.")
    if series.interval_s > 1:
        parts.append(f"In steps of {series.interval_s:g} s: of times and levels the worst in each, of rates the mean.")
    return " ".join(parts)


def _tables(
    cell: CellSummary, prices: Prices, *, is_simulated: bool
) -> Iterable[tuple[str, tuple[tuple[str, str], ...]]]:
    yield "Why there was no promise", tuple((reason, count(number)) for reason, number in cell.errors.items())
    yield (
        "What was throttled",
        tuple((throttle_reason(reason), count(number)) for reason, number in (cell.throttles or {}).items() if number),
    )
    yield "Was the lab the bottleneck?", () if is_simulated else tuple(_saturation(cell.saturation, cell))
    yield "A month of this load on AWS", tuple(_bill(cell, prices))
    steps = cell.durations_s.items()
    yield "How long each step took", tuple((step.replace("_", " "), duration(took * 1000)) for step, took in steps)
    yield "Deployed with", tuple((name, str(value)) for name, value in cell.settings.items())


def _bill(cell: CellSummary, prices: Prices) -> Iterable[tuple[str, str]]:
    bill = cell_bill(cell, prices)
    if bill is None:
        return
    for line in bill.lines:
        yield f"{line.service}: {line.what}", money(line.amount, prices)
    yield f"together, for {count(float(bill.rides))} rides", money(bill.total, prices)
    yield "with free tiers", money(bill.total_after_free, prices)


def _saturation(saturation: Saturation | None, cell: CellSummary) -> Iterable[tuple[str, str]]:
    late = f"{count(cell.late_starts)} ({share(cell.late_starts, cell.arrivals)})"
    yield f"arrivals sent more than {duration(cell.late_start_s * 1000)} late", late
    if saturation is None:
        yield "the lab itself", "not watched"
        return
    yield "verdict", "yes: " + "; ".join(saturation.reasons) if saturation.limited else "no"
    ratios = {
        "gateway busy": saturation.gateway_busy_ratio,
        "processors busy": saturation.cpu_busy_ratio,
    }
    yield from ((name, share(ratio, 1)) for name, ratio in ratios.items() if ratio is not None)
    if saturation.probe_p95_ms is not None:
        yield "a request without work, 95 % within", duration(saturation.probe_p95_ms)
    if saturation.probe_at_rest_ms is not None:
        yield "the same before the load, half within", duration(saturation.probe_at_rest_ms)


def _settings(run: Run) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    parts: Mapping[str, Mapping[str, Any]] = {
        "Scenario": run.setup.scenario,
        "Settings": run.setup.settings,
        "Versions": run.setup.versions,
        "Machine": run.setup.machine,
    }
    for title, values in parts.items():
        # The cells are what the whole page is about.
        rows = [(name.replace("_", " "), _text(name, value)) for name, value in values.items() if name != "cells"]
        if rows:
            yield title, rows


def _text(name: str, value: Any) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return f"{value / (1 << 30):.1f} GiB"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(key, part)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(_text(name, part) for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 (our own drawing; its texts were escaped by Vega)
