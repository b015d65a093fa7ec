"""One self-contained page in three languages: no network, keyboard, print."""

from collections.abc import Mapping
from html import escape

from conformance import VERSION
from conformance.engine.case import Case
from conformance.engine.results import Result, Run, Verdict
from conformance.report.words import LANGUAGES, WORDS
from conformance.resources import folder
from conformance.wire.instants import written


def as_page(run: Run, cases: Mapping[str, Case]) -> bytes:
    """Return the page."""
    style = (folder("report") / "page.css").read_text(encoding="utf-8")
    script = (folder("report") / "page.js").read_text(encoding="utf-8")
    areas = sorted({result.area for result in run.results})
    sections = "".join(_area(area, run, cases) for area in areas)
    links = "".join(f'<a href="#{area}">{area}</a> ' for area in areas)
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(run.target)} - {VERSION}</title><style>{style}</style></head>"
        f'<body data-lang="en"><a class="skip" href="#results">{_say("skip")}</a>'
        f"{_head(run)}<nav>{links}</nav>{_filters()}"
        f'<main id="results">{sections}</main><script>{script}</script></body></html>\n'
    )
    return text.encode()


def _say(word: str) -> str:
    """Return a word in all languages; the page shows one of them."""
    return _texts({language: WORDS[word][language] for language in LANGUAGES})


def _texts(texts: Mapping[str, str]) -> str:
    return "".join(
        f'<span lang="{language}">{escape(texts[language], quote=False)}</span>'
        for language in LANGUAGES
    )


def _head(run: Run) -> str:
    word = "conformant" if run.conformant else "not-conformant"
    counts = "".join(
        f'<li class="{_class(Verdict(name))}"><b>{count}</b> {_say(name)}</li>'
        for name, count in run.counts().items()
        if count
    )
    buttons = "".join(
        f'<button type="button" data-set="{language}">{name}</button>'
        for language, name in LANGUAGES.items()
    )
    return (
        f'<header><div class="languages" role="group" aria-label="Language">{buttons}</div>'
        f"<h1>{escape(run.target)}</h1>"
        f'<p class="verdict {word}">{_say(word)}</p>'
        f"<p>{_say('profile')} {escape(run.profile)}, {_say('suite')} {VERSION}, "
        f'<time datetime="{written(run.began)}">{written(run.began)}</time></p>'
        f'<ul class="counts">{counts}</ul></header>'
    )


def _filters() -> str:
    shown = (Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.PASS,
             Verdict.NOT_APPLICABLE)  # fmt: skip
    boxes = "".join(
        f'<label><input type="checkbox" checked data-verdict="{_class(verdict)}"> '
        f"{_say(str(verdict))}</label>"
        for verdict in shown
    )
    return (
        f'<form class="filters"><fieldset><legend>{_say("show")}</legend>{boxes}</fieldset></form>'
    )


def _class(verdict: Verdict) -> str:
    return str(verdict).lower().replace("_", "-")


def _area(area: str, run: Run, cases: Mapping[str, Case]) -> str:
    own = [result for result in run.results if result.area == area]
    items = "".join(_item(result, cases[result.case]) for result in own)
    return f'<section id="{area}"><h2>{area}</h2>{items}</section>'


def _item(result: Result, case: Case) -> str:
    verdict = _class(result.verdict)
    opened = " open" if result.verdict is Verdict.FAIL else ""
    reason = f'<p class="reason">{escape(result.reason)}</p>' if result.reason else ""
    notes = "".join(
        f"<li><code>{escape(note.step)}</code> {escape(note.text)}</li>" for note in result.notes
    )
    effect = f"<dt>{_say('effect')}</dt><dd>{_texts(case.effect)}</dd>"
    clauses = ", ".join(escape(clause) for clause in case.clauses)
    return (
        f'<details class="{verdict}"{opened} id="{escape(result.name)}"><summary>'
        f'<span class="badge">{_say(str(result.verdict))}</span> '
        f"<b>{escape(result.name)}</b> {_texts(case.title)} "
        f'<span class="level">{result.level}</span></summary>{reason}'
        f"<p>{_texts(case.purpose)}</p>"
        f"<dl>{effect}<dt>{_say('clauses')}</dt><dd>{clauses}</dd></dl>"
        f"<ol>{notes}</ol>{_wires(result)}</details>"
    )


def _wires(result: Result) -> str:
    lines = []
    for number, wire in enumerate(result.wires, 1):
        sent = escape(str(wire["sent"])[:6000])
        lines.append(f"<h3>{number} &rarr; {_say('sent')}</h3><pre>{sent}</pre>")
        for answer in wire["answers"]:
            body = escape(str(answer["body"])[:6000])
            state = answer["status"] or escape(str(answer["fault"]))
            lines.append(f"<h3>{number} &larr; HTTP {state}</h3><pre>{body}</pre>")
    if not lines:
        return ""
    return f"<details><summary>{_say('wire')}</summary>{''.join(lines)}</details>"
