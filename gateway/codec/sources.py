"""Where values come from that no document holds: the `param:`, `profile:`, `alloc:`, `gate:`,
`register:` and `derive:` words of the mapping tables.

What a submission parameter means for which waybill or line: `declaration` names one of the
submitted goods documents by its number, else by its own reference, else by its 1-based
position among them (formats, canonical document, section 5).
"""

from collections.abc import Callable, Mapping

from gateway.codec import parameter_problems
from gateway.codec.declared import allocation_key, line_number, names
from gateway.codec.derive import DERIVATIONS
from gateway.codec.gates import Gate, Gates
from gateway.errors import DocumentError, Finding
from gateway.model.manifest import Manifest
from gateway.model.parameters import Parameters
from gateway.model.values import Code

Allocate = Callable[[str, str], str | None]
"""(what, key) -> value, None where none can be had: the same key gets the same value."""

Take = Callable[[str, tuple[int, ...], Manifest], object | None]

_PLAIN = {
    "agentCode": "agent_code",
    "arrivalAt": "arrival_at",
    "batchNumber": "batch_number",
    "carrierCode": "carrier_code",
    "conditionCode": "condition_code",
    "freightPayment": "freight_payment",
    "loadingAt": "loading_at",
    "procedureCode": "procedure_code",
    "remark": "remark",
    "transitOffice": "transit_office",
    "unloadingPlace": "unloading_place",
    "driver.document.kind": "driver.document.kind",
    "driver.document.number": "driver.document.number",
    "driver.filing": "driver.filing",
    "driver.romanised": "driver.romanised",
    "consignee.id": "consignee.id",
    "consignee.phone": "consignee.phone",
    "temporaryAdmission.area": "temporary_admission.area",
    "temporaryAdmission.days": "temporary_admission.days",
    "temporaryAdmission.indication": "temporary_admission.indication",
    "temporaryAdmission.previous": "temporary_admission.previous",
    "temporaryAdmission.returnBy": "temporary_admission.return_by",
    "temporaryAdmission.returnGate": "temporary_admission.return_gate",
    "vehicle.chassis": "vehicle.chassis",
    "vehicle.circulation": "vehicle.circulation",
    "vehicle.colour": "vehicle.colour",
    "vehicle.engine": "vehicle.engine",
    "vehicle.filing": "vehicle.filing",
    "vehicle.make": "vehicle.make",
    "vehicle.seats": "vehicle.seats",
    "vehicle.type": "vehicle.type",
}

_NAMES: Mapping[str, frozenset[str]] = {
    "param": frozenset(_PLAIN)
    | {
        "route",
        "consignee.name",
        "waybill",
        "shortDescription",
        "packing.grossMass",
        "packing.packages",
        "dangerousGoods.un",
        "dangerousGoods.contact",
        "dangerousGoods.phone",
    },
    "profile": frozenset(
        {
            "senderId",
            "receiverId",
            "procedureCode",
            "conditionCode",
            "freightPayment",
            "representative",
            "agentCode",
            "carrierCode",
            "unloadingPlace",
            "modeCode",
            "circulation",
            "submitImmigration",
            "submitQuarantine",
            "vehicleFiling",
            "driverFiling",
        }
    ),
    "alloc": frozenset({"messageId", "sendTime", "batchNumber", "waybill"}),
    "gate": frozenset({"cnOffice", "cnPlace", "vnGate"}),
    "register": frozenset({"type", "make", "colour", "seats", "chassis", "engine", "circulation"}),
    "derive": frozenset(DERIVATIONS),
}


def known(word: str) -> bool:
    """True for a source word that a mapping table may use."""
    kind, _, name = word.partition(":")
    return name in _NAMES.get(kind, frozenset())


class SubmissionSources:
    """The sources of one submission; implements what `gateway.codec.supply` asks for."""

    def __init__(
        self,
        parameters: Parameters,
        *,
        profile: Mapping[str, str],
        gates: Gates,
        allocate: Allocate,
        register: Callable[[str], Mapping[str, str] | None],
    ) -> None:
        """profile: of the counterpart or agency. register: vehicle data by filing number."""
        self._parameters = parameters
        self._gates = gates
        self._register = register
        self._kinds: Mapping[str, Take] = {
            "param": self._parameter,
            "profile": lambda name, _, __: profile.get(name),
            "alloc": lambda name, scope, document: allocate(
                name, allocation_key(name, scope, document)
            ),
            "gate": self._gate,
            "register": self._vehicle,
            "derive": lambda name, scope, document: DERIVATIONS[name](scope, document),
        }
        self._scoped: Mapping[str, Take] = {
            "route": self._route,
            "consignee": self._consignee_name,
            "waybill": self._waybill,
            "shortDescription": self._short_description,
            "packing": self._packing,
            "dangerousGoods": self._dangerous,
        }

    def take(self, source: str, scope: tuple[int, ...], document: Manifest) -> object | None:
        """Return the value of a source word, None when it has none.

        scope: index of the waybill, and of the line. A str is the target's wire text.
        """
        kind, _, name = source.partition(":")
        return self._kinds[kind](name, scope, document)

    def _parameter(self, name: str, scope: tuple[int, ...], document: Manifest) -> object | None:
        if name in _PLAIN:
            value: object = self._parameters
            for attribute in _PLAIN[name].split("."):
                value = getattr(value, attribute) if value is not None else None
            return str(value) if isinstance(value, int) else value
        group, _, part = name.partition(".")
        return self._scoped[group](part, scope, document)

    def _route(self, _: str, __: tuple[int, ...], ___: Manifest) -> tuple[str, ...] | None:
        return self._parameters.route or None

    def _consignee_name(self, _: str, __: tuple[int, ...], ___: Manifest) -> str | None:
        consignee = self._parameters.consignee
        return next(iter(consignee.names), None) if consignee else None

    def _waybill(self, _: str, scope: tuple[int, ...], document: Manifest) -> str | None:
        found = (
            w for w in self._parameters.waybills if names(document, w.declaration) == scope[:1]
        )
        return next((waybill.id for waybill in found), None)

    def _short_description(self, _: str, scope: tuple[int, ...], document: Manifest) -> str | None:
        """One per waybill (for all its lines), or one per line of the whole manifest."""
        given = self._parameters.short_descriptions
        if len(given) == len(document.consignments):
            return given[scope[0]]
        before = sum(len(c.items) for c in document.consignments[: scope[0]])
        total = sum(len(c.items) for c in document.consignments)
        return given[before + scope[1]] if len(given) == total else None

    def _packing(self, part: str, scope: tuple[int, ...], document: Manifest) -> object | None:
        found = (
            p
            for p in self._parameters.packing
            if names(document, p.declaration) == scope[:1]
            and p.line == line_number(scope, document)
        )
        packing = next(found, None)
        if packing is None:
            return None
        return packing.gross_mass if part == "grossMass" else packing.packages

    def _dangerous(self, part: str, scope: tuple[int, ...], document: Manifest) -> str | None:
        """un is per line; contact and phone are per waybill (the first line that has them)."""
        found = (
            d
            for d in self._parameters.dangerous_goods
            if names(document, d.declaration) == scope[:1]
            and (part != "un" or d.line == line_number(scope, document))
        )
        dangerous = next(found, None)
        return getattr(dangerous, part) if dangerous else None

    def _gate(self, name: str, _: tuple[int, ...], document: Manifest) -> object | None:
        if name == "vnGate":
            return self._vn_gate(document)
        gate = _stated_gate(self._gates, document)
        if gate is None:
            return None
        if name == "cnOffice":
            return Code(list="cn.customs-office", value=gate.cn_office)
        return Code(list="cn.place", value=gate.cn_place)

    def _vn_gate(self, document: Manifest) -> Code | None:
        """A Chinese office serves several gates: the loading place decides, or nobody.

        DocumentError `rule-broken` with the candidates when there are several (TRAPS 48).
        """
        exit_office = document.exit_office.office if document.exit_office else None
        if exit_office is None:
            return None
        loading = document.loading.location if document.loading else None
        place = loading.code.value if loading and loading.code else None
        candidates = self._gates.of_office(exit_office.value, place)
        if len(candidates) > 1:
            found = " ".join(part for part in (exit_office.value, place) if part)
            expected = "one of " + " ".join(gate.vn for gate in candidates)
            finding = Finding("rule-broken", "gate-ambiguous", "exit_office", found, expected)
            raise DocumentError("rule-broken", finding)
        return Code(list="vn.border-gate", value=candidates[0].vn) if candidates else None

    def _vehicle(self, name: str, _: tuple[int, ...], document: Manifest) -> str | None:
        for means in document.means[:1]:
            for filing in (i for i in means.ids if i.scheme == "cn.vehicle-filing"):
                found = self._register(filing.value) or {}
                return found.get(name) or None
        return None

    def problems(self, document: Manifest) -> list[Finding]:
        """Return findings for parameters that do not fit the documents."""
        return parameter_problems.find(self._parameters, document)


def _stated_gate(gates: Gates, document: Manifest) -> Gate | None:
    gate = document.border_gate.gate if document.border_gate else None
    return gates.of_vn(gate.value) if gate else None
