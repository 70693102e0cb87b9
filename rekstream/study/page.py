"""The charts as one page of HTML that needs nothing else: plotly's JavaScript stands in it, and no part of a picture does."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from plotly.io import to_html
from plotly.offline import get_plotlyjs

from pipeline.errors import SettingsError
from rekstream.study.charts import Chart, charts
from rekstream.study.survey import Study

# plotly 7 has a button that hands a chart to its maker's cloud; who made a study chooses where it goes
_CONFIG = {"displaylogo": False, "responsive": True, "showSendToCloud": False, "plotlyServerURL": ""}


def write_page(studies: Sequence[Study], answered_by: str, notes: Sequence[str], path: Path) -> None:
    """Write the page; raises SettingsError when the file cannot be written."""
    try:
        path.write_text(page(studies, answered_by, notes), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}): name another file with --plot") from error


def page(studies: Sequence[Study], answered_by: str, notes: Sequence[str]) -> str:
    """Return the page's HTML, 5 MB of it plotly's."""
    names = ", ".join(f"{Path(study.picture).name} ({study.width} x {study.height})" for study in studies)
    about = [f"{names}; answered by {answered_by}", *notes, *_failures(studies)]
    return _PAGE.substitute(
        about="\n".join(f"<p>{escape(line)}.</p>" for line in about),
        plotly=get_plotlyjs(),
        sections="\n".join(_section(chart) for chart in charts(studies)),
    )


def _section(chart: Chart) -> str:
    figure = to_html(chart.figure, include_plotlyjs=False, full_html=False, config=_CONFIG)
    return f"<section>\n<h2>{escape(chart.heading)}</h2>\n<p>{escape(chart.sentence)}</p>\n{figure}\n</section>"


def _failures(studies: Sequence[Study]) -> list[str]:
    failed = sum(len(row.failures) for study in studies for row in study.rows)
    return [f"{failed} calls failed, and are missing here"] if failed else []


# The policy lets the page load nothing from anywhere, and send nothing.
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>rekstream study</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: .5rem }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0 }
p { margin: .2rem 0; color: #555 }
</style>
<script>$plotly</script>
</head>
<body>
<h1>What survives of Rekognition's answers</h1>
$about
$sections
</body>
</html>
""")
