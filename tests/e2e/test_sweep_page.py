"""A sweep's page in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from rydelab.capacity.price_file import packaged_prices
from rydelab.report.sweep_page import render_sweep_page
from tests.e2e.conftest import DESKTOP, PHONE, in_browser
from tests.unit.report.test_sweep import sweep


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sweep") / "sweep.html"
    file.write_text(render_sweep_page(sweep(), packaged_prices()), encoding="utf-8")
    return file


@in_browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_box_can_be_seen_and_read_and_nothing_is_asked_for(
    browser: Browser, report: Path, size: tuple[int, int], scheme: str
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requests.append(request.url))

    page.goto(report.as_uri())

    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    texts = page.eval_on_selector_all(
        "figure svg",
        """drawings => drawings.map(drawing => [...drawing.querySelectorAll("text")].map(text => {
            const own = text.getBoundingClientRect(), all = drawing.getBoundingClientRect();
            const inside = own.left >= all.left - 1 && own.right <= all.right + 1
                && own.top >= all.top - 1 && own.bottom <= all.bottom + 1;
            return [text.textContent, own.height > 5 && inside];
        }))""",
    )
    assert [len(drawing) for drawing in texts] == [10, 10]  # four boxes, two labels and a title on each side
    assert [text for drawing in texts for text, seen in drawing if not seen] == []
    # A drawing may be wider than a phone, in a frame of its own; the page is not.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


@in_browser
def test_the_texts_in_boxes_have_enough_contrast(browser: Browser, report: Path) -> None:
    """By WCAG's formula, each box's colour laid over the page by its opacity."""
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(report.as_uri())
        ratios = page.evaluate(
            """() => {
                const parse = color => color.match(/[0-9.]+/g).slice(0, 3).map(Number);
                const light = color => {
                    const [r, g, b] = color.map(v => v / 255)
                        .map(v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                };
                const back = parse(getComputedStyle(document.body).backgroundColor);
                const ink = parse(getComputedStyle(document.body).color);
                return [...document.querySelectorAll("figure svg path")].map(box => {
                    const style = getComputedStyle(box), opacity = Number(style.fillOpacity);
                    if (!style.fill.startsWith("rgb")) return 21;
                    const over = parse(style.fill).map((v, i) => v * opacity + back[i] * (1 - opacity));
                    const [one, other] = [light(over), light(ink)].sort((a, b) => b - a);
                    return (one + 0.05) / (other + 0.05);
                });
            }"""
        )
        assert len(ratios) >= 8
        assert min(ratios) >= 4.5
        context.close()
