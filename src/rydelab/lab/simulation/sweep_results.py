"""Saves a sweep: every point as values, its pictures, and the table that was shown."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rydelab.capacity.prices import Prices
from rydelab.lab.results import ResultsError
from rydelab.report.sweep import Sweep
from rydelab.report.sweep_page import render_sweep_page
from rydelab.report.sweep_text import render_sweep

PAGE = "sweep.html"


def save_sweep(sweep: Sweep, prices: Prices, *, results_dir: Path, started: datetime) -> Path:
    """Write *sweep* into a new folder below *results_dir* and return the folder. Raises ResultsError."""
    stem = f"{started:%Y%m%d-%H%M%S}-{sweep.name}-sweep"
    folder = results_dir / stem
    number = 1
    while folder.exists():
        number += 1
        folder = results_dir / f"{stem}-{number}"
    files = {
        "sweep.json": json.dumps(asdict(sweep), indent=1) + "\n",
        "sweep.txt": render_sweep(sweep, prices),
        PAGE: render_sweep_page(sweep, prices),
    }
    try:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"cannot write results to {folder.absolute()}: {error.strerror}") from None
    return folder
