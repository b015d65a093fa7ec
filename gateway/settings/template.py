"""The settings file that `gateway init` writes: every section, with comments."""

from dataclasses import dataclass

_SUBMITS = {
    "vn": ["vn.vnaccs.tor", "vn.vnaccs.eda", "vn.langson.registration"],
    "cn": ["cn.mt2401", "cn.mt4402", "cn.response"],
}
_TAKES = {
    "vn": ["vn.vnsw.answer", "vn.vnaccs.tir", "canonical.manifest"],
    "cn": ["cn.mt1401", "cn.mt4401"],
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the file is made for. password_file: opens all keys; empty when they are open."""

    side: str
    name: str
    peer: str
    profile: str = "production"
    keys: str = "keys"
    password_file: str = ""


def render(draft: Draft) -> str:
    """Return the text of a settings file. It loads once the key files are there."""
    signature = "demo" if draft.profile == "demo" else "link-ecdsa-p256"
    return _FILE.format(
        side=draft.side,
        name=draft.name,
        profile=draft.profile,
        peer=draft.peer,
        keys=draft.keys,
        signature=signature,
        password=f'\npassword_file = "{draft.password_file}"' if draft.password_file else "",
        comment_password=(
            f'\n# password_file = "{draft.password_file}"' if draft.password_file else ""
        ),
        submits=_list(_SUBMITS[draft.side]),
        takes=_list(_TAKES[draft.side]),
    )


def _list(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


_FILE = """\
# Settings of a gateway. Paths are relative to this file. Durations: "500ms", "30s", "5m",
# "24h", "7d". Every value can be overridden by a variable: GATEWAY__STORE__URL=...
# `gateway doctor` checks the whole of it.

[gateway]
side = "{side}"                # vn or cn
name = "{name}"       # our party id on the link, as agreed with the other side
profile = "{profile}"  # demo: keys of the demo are trusted; production: they are refused
# test = true               # our messages carry the test indicator
# log_level = "info"

[store]
url = "sqlite:///gateway.db"  # or postgresql://user@host/database
# password_file = "..."       # of the database user

# --- listeners: each with a certificate and trust anchors of its own ---

[listen.agencies]             # the REST interface for domestic systems
host = "127.0.0.1"
port = 8443
certificate = "{keys}/agencies-server.cert.pem"
key = "{keys}/agencies-server.key.pem"
anchors = "{keys}/agencies-authority.cert.pem"{password}

[listen.operations]           # /healthz /readyz /metrics; without TLS only on loopback
host = "127.0.0.1"
port = 8445

# --- our keys: one per purpose; the counterpart pins the certificates ---

[keys.message]
key = "{keys}/message.key.pem"
certificate = "{keys}/message.cert.pem"{password}

[keys.receipt]
key = "{keys}/receipt.key.pem"
certificate = "{keys}/receipt.cert.pem"{password}

[keys.statement]
key = "{keys}/statement.key.pem"
certificate = "{keys}/statement.cert.pem"{password}

[keys.head]                   # signs the heads of our log, which the other side cosigns
key = "{keys}/head.key.pem"
certificate = "{keys}/head.cert.pem"{password}

[keys.pack]                   # signs the bilateral pack
key = "{keys}/pack.key.pem"
certificate = "{keys}/pack.cert.pem"{password}

# [hsm]                       # a token for the keys above: label = "..." instead of key = "..."
# module = "/usr/lib/softhsm/libsofthsm2.so"
# token = "gateway"
# pin_file = "hsm.pin"

# --- the other side ---
# 1. Give it: link-authority.cert.pem, link-client.cert.pem, message.cert.pem,
#    receipt.cert.pem, head.cert.pem and pack.cert.pem of the folder {keys}/.
# 2. Put what it gives you into the folder counterpart/ and compare fingerprints by another way
#    than the one the files came by (`gateway keys list` shows ours).
# 3. Take the comment signs away from both sections below.

# [listen.counterpart]
# host = "0.0.0.0"
# port = 8444
# certificate = "{keys}/link-server.cert.pem"
# key = "{keys}/link-server.key.pem"
# anchors = "counterpart/link-authority.cert.pem"{comment_password}

# [counterpart.{peer}]          # the name is its party id on the link
# url = "https://gateway.example/exchange/v1"
# anchors = "counterpart/link-authority.cert.pem"
# certificate = "{keys}/link-client.cert.pem"
# key = "{keys}/link-client.key.pem"{comment_password}
# client_certificates = ["counterpart/link-client.cert.pem"]
# signature = "{signature}"
# # sign_as = "link-sm2"        # how we sign to it, where that is not how it signs
# # legacy_signatures = false   # SHA-1, where both sides have agreed on it
# # pack = "pack.json"        # the bilateral pack, once one is applied (gateway pack)
# accept_bare = false         # also take GACC documents without our envelope
# disclose = ["crew.names", "crew.filing"]  # personal values that may cross; all else stays
#
# [[counterpart.{peer}.pinned]]
# usage = "message"
# certificate = "counterpart/message.cert.pem"
# # not_after = 2027-01-01T00:00:00Z  # a window narrower than the certificate's own
#
# [[counterpart.{peer}.pinned]]
# usage = "receipt"
# certificate = "counterpart/receipt.cert.pem"
#
# [[counterpart.{peer}.pinned]]
# usage = "head"              # cosigns our log heads, signs its own
# certificate = "counterpart/head.cert.pem"
#
# [[counterpart.{peer}.pinned]]
# usage = "pack"              # signs the bilateral pack with us
# certificate = "counterpart/pack.cert.pem"
#
# [counterpart.{peer}.trust]
# revocation = "off"          # the keys that `gateway init` makes have no authority to ask: who
# #                             # takes a pin away revokes it. With an authority of its own:
# # revocation = "require"      # no fresh status, no acceptance; or "grace" with grace = "24h"
# # anchors = ["counterpart/signing-authority.cert.pem"]  # who issues its signing certificates
# # intermediates = []
# # crls = ["http://authority.example/list.crl"]  # asked off the request path ([trust] refresh)
# # ocsps = []                  # the same for OCSP responders
# # authority_crls = []         # for the intermediates
# # from_certificates = false   # also follow the URLs in its certificates, to public addresses
# # fetch = true                # ask at once, within [trust] deadline, when a status is missing
# # max_age = "8d"              # an older status is stale, whatever it says of its next update
# # names = ["C=CN,O=...,CN=..."]  # believe unpinned certificates of the anchors that carry the
# #                             # usage of the link and this name (also dns:..., uri:..., email:...)
# # overlap = "90d"             # how long the old and the new pin may be good side by side
#
# [counterpart.{peer}.profile]  # what no document holds: identities and agreed defaults
# senderId = "..."
# receiverId = "..."
# procedureCode = "..."
# representative = "..."
# batchRange = "5100000000001-5100000000999"  # batch numbers that the other side lent us

# --- domestic systems: known by their client certificate ---

[agency.customs]
role = "customs"
certificates = ["{keys}/customs.cert.pem"]
formats = {submits}
disclose = ["crew.names", "crew.documents", "crew.filing", "communications", "contact"]

# [[agency.customs.signed]]   # documents that it signs: of these formats no other is taken
# signature = "vnaccs-smime"  # S/MIME; vn-2025: XAdES
# formats = ["vn.vnaccs.eda"] # none: all that it submits
# # legacy = true             # SHA-1 is verified, too
# trust = {{ revocation = "off" }}
#
# [[agency.customs.signed.pinned]]
# certificate = "customs-signing.pem"

[agency.customs.deliver]      # without `to` it fetches its documents itself
documents = {takes}
# [agency.customs.deliver.to]
# url = "https://customs.example/documents"
# anchors = "customs-authority.pem"
# certificate = "{keys}/agencies-client.cert.pem"
# key = "{keys}/agencies-client.key.pem"{comment_password}

[agency.operator]             # sees every message, no personal values
role = "operator"
certificates = ["{keys}/operator.cert.pem"]

[client]                      # how `gateway message ...` calls the agencies' interface
url = "https://127.0.0.1:8443"
anchors = "{keys}/agencies-authority.cert.pem"
certificate = "{keys}/customs.cert.pem"
key = "{keys}/customs.key.pem"{password}

# [timestamps]                # RFC 3161: heads of the evidence log, and XAdES-T
# anchors = ["timestamp-root.pem"]  # only tokens below these are believed
# deadline = "10s"
#
# [timestamps.authority.first]
# url = "http://timestamps.example/"

# [register]
# vehicles = "vehicles.csv"   # columns: filing,type,make,colour,seats,chassis,engine,circulation

# --- documents at rest: without this key they are lost, so keep a copy of it apart ---

[[at_rest.key]]               # payloads are encrypted with keys that this one wraps; the first
id = "1"                      # one of several wraps, those after it open what is older
file = "{keys}/at-rest-1.key"  # made by `gateway evidence new-key`
# label = "at-rest"           # instead of `file`: in the token of [hsm]

# --- bounds; these are the defaults ---

[limits]
# document_bytes = 10000000
# answer_bytes = 1048576
# uploads = 20
# stale_after = "30d"
# future = "5m"
# lifetime = "8d"
# half_waits = "24h"          # how long half a crossing waits for the rest
# window_days = 3             # how far two halves may lie apart
# requests = 256
# per_peer = 128

[worker]
# inside = true               # `gateway serve` runs a worker; false: run `gateway worker`
# places = 4                  # sends to one destination at once
# deadline = "30s"            # of one whole send
# lease = "90s"              # what a process that died held is free after this
# poll = "500ms"
# look_at_tls = "10s"         # TLS files that changed are taken without a restart
# drain = "30s"

[trust]                       # how revocation sources are asked
# refresh = "15m"
# deadline = "3s"             # of one question
# max_bytes = 20000000        # of an answer

[evidence]                    # the log over everything accepted, sent, received, refused, decided
# sequence_every = "1s"       # rows become leaves
# head_every = "60s"          # a signed head, when the log has grown ...
# head_rows = 1000            # ... or after so many rows
# stamped_within = "1h"       # a head without its timestamp for longer is an alarm
# earlier_heads = []          # certificates of head keys that were used before, for the audit
# sealed = ["cn.mt1401"]      # formats whose documents can be shown in part and proven

[settlement]                  # the ledger that is kept with the counterpart; needs both head keys
# heads_every = "5m"          # our newest head is offered to be cosigned
# every = "24h"               # all days are compared

# [recognition]               # inspection results of both sides are recognised by rules
# every = "5s"                # statements and receipts are exchanged
# allow_unsigned = false      # to try out; refused in production
# # rules = "rules"           # folder with the signed rule set; none: the draft that ships
# # certificates = ["vn.cert.pem", "cn.cert.pem"]   # whose signatures it must have

[retention]                   # how long documents stay; what is not named stays for good
# document = "1825d"          # originals, translations, what travelled
# report = "1825d"
# evidence = "3650d"          # receipts, refusals, commitments
# prune_every = "1h"
# [retention.roles]           # of one role, before its class
# canonical = "365d"

[retry]
# first = "2s"
# longest = "15m"
# jitter = 0.5
# horizon = "7d"

[breaker]
# threshold = 5
# pause = "15s"
# longest = "5m"
"""
