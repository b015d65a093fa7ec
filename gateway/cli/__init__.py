"""The command line. stdout is data, stderr is talk; heavy modules load within commands.

Exit codes: 0 done, 1 refused or failed, 2 wrong use (also settings that cannot be used),
3 something is not available now.
"""

import typer

from gateway.cli import (
    bundle,
    counterpart,
    counterpart_reach,
    doctor,
    documents,
    evidence,
    keys,
    keys_list,
    keys_rotation,
    maps,
    messages,
    packs,
    recognition,
    running,
    settle,
    setup,
    translate,
    trust,
)

app = typer.Typer(
    help=(
        "Bilateral customs gateway. stdout is data, stderr is talk. Exit codes: 0 done, "
        "1 refused or failed, 2 wrong use or unusable settings, 3 not available now."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init")(setup.init)
app.command("doctor")(doctor.doctor)
app.command("serve")(running.serve)
app.command("worker")(running.worker)
app.command("demo")(running.demo)
app.command("translate")(translate.translate)
app.command("decode")(documents.decode)
app.command("encode")(documents.encode)
app.command("describe")(documents.describe)
app.command("sign")(trust.sign)
app.command("verify")(trust.verify)
app.add_typer(running.db, name="db")
app.add_typer(messages.message, name="message")
app.add_typer(evidence.evidence, name="evidence")
evidence.evidence.command("export")(bundle.export)
evidence.evidence.command("verify")(bundle.verify)
evidence.evidence.command("anchors")(bundle.anchors)
evidence.evidence.command("contradiction")(bundle.contradiction)
app.add_typer(settle.settle, name="settle")
app.add_typer(maps.maps, name="map")
app.add_typer(keys.keys, name="keys")
keys.keys.command("list")(keys_list.list_keys)
keys.keys.command("rotate")(keys_rotation.rotate)
keys.keys.command("retire")(keys_rotation.retire)
keys.keys.command("announce")(keys_rotation.announce)
app.add_typer(counterpart.counterpart, name="counterpart")
counterpart.counterpart.command("test")(counterpart_reach.reach)
app.add_typer(packs.pack, name="pack")
app.add_typer(recognition.recognition, name="recognition")

__all__ = ["app"]
