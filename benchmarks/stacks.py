"""The stacks that are compared. Each is a function of the signed bytes of one link message."""

import xmlschema
import xmlsec
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod
from signxml.verifier import SignatureConfiguration

from benchmarks.documents import HEAD, NOW, message, translated
from gateway.codec import envelope
from gateway.codec.formats import Formats
from gateway.resources import folder
from gateway.safexml import parse
from gateway.signing.issue import KeyKind, Purpose, Subject, authority, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import Verified, verify_document

DS = "{http://www.w3.org/2000/09/xmldsig#}"
PROFILE = profile("link-ecdsa-p256")
MT1401 = "{urn:Declaration:datamodel:standard:CN:MT1401:1}"
MT2401 = "{urn:Declaration:datamodel:standard:CN:MT2401:1}"


class Keys:
    """One P-256 key for every stack."""

    def __init__(self) -> None:
        subject = Subject("CN", "Benchmark", "", "benchmark")
        issuer = authority(subject, NOW, 3650)
        self.issued = leaf(subject, Purpose.MESSAGE, NOW, 3650, issuer=issuer, kind=KeyKind.P256)
        self.signer = key_signer(self.issued.key, self.issued.der)
        pinned = PinnedKey(self.issued.der, "cn", Usage.MESSAGE)
        self.policy = TrustPolicy.of(PROFILE, Usage.MESSAGE, [pinned])
        self.xmlsec = xmlsec.Key.from_memory(_pem(self.issued.key), xmlsec.KeyFormat.PEM)
        self.xmlsec.load_cert_from_memory(self.issued.pem, xmlsec.KeyFormat.CERT_PEM)


def _pem(key) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


class Ours:
    """The gateway: hardened parse, verify, XSD in, translate, XSD out, sign."""

    def __init__(self, keys: Keys, formats: Formats) -> None:
        self.keys, self.formats = keys, formats

    def verify(self, raw: bytes) -> Verified:
        """Parse and verify."""
        return verify_document(parse(raw), self.keys.policy, NOW)

    def path(self, raw: bytes) -> bytes:
        """The whole path."""
        verified = self.verify(raw)
        _, body = envelope.read_message(verified.element)
        octets = envelope.body_octets(verified.content)
        decoded = self.formats.decode_tree("cn.mt2401", body, octets, spend=True)
        del verified, body, octets
        content = translated(self.formats, decoded)
        self.formats.check_output("cn.mt1401", content)
        return sign_document(message(content, "cn.mt1401"), self.keys.signer, PROFILE)


class XmlSec:
    """Y: parse, python-xmlsec verify, python-xmlsec sign, serialise. No translation at all."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def verify(self, raw: bytes) -> etree._Element:
        """Parse and verify."""
        root = etree.fromstring(raw)
        context = xmlsec.SignatureContext()
        context.key = self.keys.xmlsec
        context.verify(root[-1])
        return root

    def path(self, raw: bytes) -> bytes:
        """Verify, sign again, serialise."""
        root = self.verify(raw)
        root.remove(root[-1])
        node = xmlsec.template.create(root, xmlsec.Transform.C14N, xmlsec.Transform.ECDSA_SHA256)
        root.append(node)
        reference = xmlsec.template.add_reference(node, xmlsec.Transform.SHA256, uri="")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.C14N)
        x509 = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
        xmlsec.template.x509_data_add_certificate(x509)
        context = xmlsec.SignatureContext()
        context.key = self.keys.xmlsec
        context.sign(node)
        return etree.tostring(root, encoding="UTF-8")


class Naive:
    """What a first version looks like: signxml, xmlschema, one XPath per field."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.verifier = XMLVerifier()
        self.configuration = SignatureConfiguration(expect_references=1)
        self.source = xmlschema.XMLSchema(folder("xsd") / "cn" / "mt2401.xsd")
        self.target = xmlschema.XMLSchema(folder("xsd") / "cn" / "mt1401.xsd")

    def path(self, raw: bytes) -> bytes:
        """The whole path."""
        verified = self.verifier.verify(
            raw, x509_cert=self.keys.issued.pem.decode(), expect_config=self.configuration
        )
        body = verified.signed_xml.find(f".//{MT2401}Manifest")
        self.source.validate(etree.ElementTree(etree.fromstring(etree.tostring(body))))
        content = xpath_translated(body)
        self.target.validate(etree.ElementTree(etree.fromstring(content)))
        signer = XMLSigner(
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        )
        root = etree.fromstring(message(content, "cn.mt1401"))
        signed = signer.sign(root, key=self.keys.issued.key, cert=self.keys.issued.pem.decode())
        return etree.tostring(signed)


def xpath_translated(body: etree._Element) -> bytes:
    """Build MT1401 with one XPath expression for each field that is read."""
    root = etree.Element(f"{MT1401}Manifest", nsmap={None: MT1401[1:-1]})
    _copy(body, root)
    for place in root.iter(f"{MT1401}LoadingLocation"):
        for identity in place.findall(f"{MT1401}ID"):
            place.remove(identity)
    declaration = root.find(f"{MT1401}Declaration")
    unloading = etree.SubElement(declaration, f"{MT1401}UnloadingLocation")
    etree.SubElement(unloading, f"{MT1401}ArrivalDateTime").text = "20260518"
    etree.SubElement(unloading, f"{MT1401}ID").text = "CNPIN/7208"
    root.find(f"{MT1401}Head/{MT1401}MessageType").text = "MT1401"
    root.find(f"{MT1401}Head/{MT1401}MessageID").text = HEAD["messageId"]
    for transit in list(root.iter(f"{MT1401}TransitDeparture", f"{MT1401}Consolidator")):
        transit.getparent().remove(transit)
    return etree.tostring(root, encoding="UTF-8")


def _copy(source: etree._Element, target: etree._Element) -> None:
    """Rename element by element; each value is found by an XPath expression from the root."""
    tree, root = source.getroottree(), source.getroottree().getroot()
    made = {source: target}
    spaces = {prefix: name for prefix, name in root.nsmap.items() if prefix}
    for element in source.iterdescendants(etree.Element):
        name = etree.QName(element).localname
        child = etree.SubElement(made[element.getparent()], f"{MT1401}{name}", dict(element.attrib))
        made[element] = child
        (found,) = root.xpath(tree.getpath(element), namespaces=spaces)
        child.text = found.text if not len(found) else None


XSLT = f"""
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:s="{MT2401[1:-1]}" xmlns="{MT1401[1:-1]}" exclude-result-prefixes="s">
  <xsl:template match="s:*">
    <xsl:element name="{{local-name()}}">
      <xsl:copy-of select="@*"/><xsl:apply-templates/></xsl:element>
  </xsl:template>
  <xsl:template match="s:Head/s:MessageType"><MessageType>MT1401</MessageType></xsl:template>
  <xsl:template match="s:Head/s:MessageID">
    <MessageID>CN_MT1401_1p0_7208990000001_20260514091512345</MessageID></xsl:template>
  <xsl:template match="s:TransitDeparture | s:Consolidator | s:LoadingLocation/s:ID"/>
  <xsl:template match="s:Declaration">
    <Declaration><xsl:apply-templates/><UnloadingLocation>
      <ArrivalDateTime>20260518</ArrivalDateTime><ID>CNPIN/7208</ID></UnloadingLocation>
    </Declaration>
  </xsl:template>
  <xsl:template match="s:Consignment/s:Consignee">
    <BorderTransportMeans><Itinerary><RoutingCountryCode>CN</RoutingCountryCode></Itinerary>
    </BorderTransportMeans>
    <Consignee><xsl:apply-templates/></Consignee>
  </xsl:template>
</xsl:stylesheet>
"""


class Xslt:
    """The same translation as an XSLT 1.0 style sheet in lxml."""

    def __init__(self) -> None:
        self.transform = etree.XSLT(etree.fromstring(XSLT))

    def translate(self, body: etree._ElementTree) -> bytes:
        """Translate and serialise."""
        return bytes(self.transform(body))
