// The exchange profile, version 1: messages, receipts, refusals, their signatures.
// Clause numbers are those of docs/exchange-profile.md; nothing else was read.
import { createHash, webcrypto, X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { DOMParser, XMLSerializer } from "@xmldom/xmldom";
import { setNodeDependencies } from "xml-core";
import * as dsig from "xmldsigjs";
import xpath from "xpath";

setNodeDependencies({ DOMParser, XMLSerializer, xpath });
dsig.Application.setEngine("node", webcrypto);

export const NS = "urn:bilateral-gateway:exchange:1";
const DS = "http://www.w3.org/2000/09/xmldsig#";
const C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ENVELOPED = DS + "enveloped-signature";
const ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

export class Refused extends Error {
  constructor(code, rule = code, path = "") {
    super(`${code} ${rule} ${path}`);
    Object.assign(this, { code, rule, path });
  }
}

// XP-SEC-001, 002: UTF-8, no DOCTYPE, well formed.
export function parse(octets) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(octets);
  if (text.includes("<!DOCTYPE")) throw new Refused("malformed", "doctype");
  const strict = { onError: (level, message) => { throw new Refused("malformed", message); } };
  try {
    return new DOMParser(strict).parseFromString(text, "text/xml");
  } catch (fault) {
    throw fault instanceof Refused ? fault : new Refused("malformed", String(fault.message));
  }
}

export function child(parent, name, ns = NS) {
  for (const node of Array.from(parent.childNodes)) {
    if (node.localName === name && node.namespaceURI === ns) return node;
  }
  return null;
}

export const textOf = (parent, name) => child(parent, name)?.textContent ?? "";

const elements = (node) => Array.from(node.childNodes).filter((each) => each.nodeType === 1);
const algorithm = (node) => node?.getAttribute("Algorithm");

// XP-SIG-001 to 006: one signature, the last child of the root, of exactly this shape.
function shape(document) {
  const found = Array.from(document.getElementsByTagNameNS(DS, "Signature"));
  if (!found.length) throw new Refused("signature-missing");
  const root = document.documentElement;
  const signature = found[0];
  if (found.length > 1 || elements(root).at(-1) !== signature) throw new Refused("signature-scope");
  const [info, value, key, ...more] = elements(signature);
  const [c14n, method, reference, ...others] = elements(info);
  const [transforms, digest] = elements(reference);
  const named = elements(transforms).map(algorithm);
  const held =
    !more.length && !others.length && value.localName === "SignatureValue" &&
    reference.getAttribute("URI") === "" && key.localName === "KeyInfo";
  if (!held) throw new Refused("signature-scope");
  const allowed =
    algorithm(c14n) === C14N && algorithm(method) === ECDSA && algorithm(digest) === SHA256 &&
    named.length === 2 && named[0] === ENVELOPED && named[1] === C14N;
  if (!allowed) throw new Refused("algorithm-not-allowed");
  const certificates = Array.from(key.getElementsByTagNameNS(DS, "X509Certificate"));
  if (certificates.length !== 1) throw new Refused("signature-scope");
  return { signature, certificate: Buffer.from(certificates[0].textContent, "base64") };
}

// XP-SIG-010: the digest names the message.
export function digestOf(document) {
  const copy = document.cloneNode(true);
  const root = copy.documentElement;
  const signature = child(root, "Signature", DS);
  if (signature) root.removeChild(signature);
  const canonical = new dsig.XmlCanonicalizer(false, false).Canonicalize(copy);
  return createHash("sha256").update(canonical, "utf8").digest("hex");
}

// XP-TRU-001, 002, 004: a pinned certificate, for this usage, in its dates.
export async function verify(document, pinned) {
  const { signature, certificate } = shape(document);
  const name = createHash("sha256").update(certificate).digest("hex");
  if (!pinned.has(name)) throw new Refused("signer-untrusted", "not-pinned");
  const read = new X509Certificate(certificate);
  const now = Date.now();
  if (now < Date.parse(read.validFrom) || now > Date.parse(read.validTo)) {
    throw new Refused("certificate-expired");
  }
  const spki = read.publicKey.export({ type: "spki", format: "der" });
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await webcrypto.subtle.importKey("spki", spki, curve, true, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  const value = octetsOf(signature, "SignatureValue");
  const over = Buffer.from(signedInfo(signature), "utf8");
  const digest = digestOf(document);
  const held =
    octetsOf(signature, "DigestValue").toString("hex") === digest &&
    (await webcrypto.subtle.verify(how, key, value, over));
  if (!held) throw new Refused("signature-invalid");
  return digest;
}

const octetsOf = (signature, name) =>
  Buffer.from(signature.getElementsByTagNameNS(DS, name)[0].textContent, "base64");

// What is signed: SignedInfo with the namespaces that it inherits in the document (the worked
// example of the profile shows it). xmldsigjs leaves them out when it verifies.
function signedInfo(signature) {
  const info = child(signature, "SignedInfo", DS);
  const copy = info.cloneNode(true);
  for (let node = signature; node && node.nodeType === 1; node = node.parentNode) {
    for (const attribute of Array.from(node.attributes)) {
      const binds = attribute.name === "xmlns" || attribute.name.startsWith("xmlns:");
      if (binds && !copy.hasAttribute(attribute.name)) {
        copy.setAttributeNS(attribute.namespaceURI, attribute.name, attribute.value);
      }
    }
  }
  return new dsig.XmlCanonicalizer(false, false).Canonicalize(copy);
}

export async function loadKey(keyFile, certificateFile) {
  const pkcs8 = createPrivateKey(readFileSync(keyFile)).export({ type: "pkcs8", format: "der" });
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await webcrypto.subtle.importKey("pkcs8", pkcs8, curve, true, ["sign"]);
  const certificate = new X509Certificate(readFileSync(certificateFile)).raw.toString("base64");
  return { key, certificate };
}

export const fingerprint = (file) =>
  createHash("sha256").update(new X509Certificate(readFileSync(file)).raw).digest("hex");

export async function sign(xml, { key, certificate }) {
  const document = parse(Buffer.from(xml));
  const signed = new dsig.SignedXml();
  const reference = { hash: "SHA-256", transforms: ["enveloped", "c14n"], uri: "" };
  const how = { references: [reference], x509: [certificate] };
  await signed.Sign({ name: "ECDSA", hash: "SHA-256" }, key, document, how);
  document.documentElement.appendChild(document.importNode(signed.GetXml(), true));
  return new XMLSerializer().serializeToString(document);
}

const escaped = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const lines = (pairs) =>
  pairs.filter(([, value]) => value !== "")
    .map(([name, value]) => `<xp:${name}>${escaped(value)}</xp:${name}>`).join("");

// XP-ENV
export function message(fields, body) {
  return `<xp:Message xmlns:xp="${NS}"><xp:Envelope>${lines(fields)}</xp:Envelope>` +
    `<xp:Body>${body}</xp:Body></xp:Message>`;
}

// XP-RCP-002
export function receipt({ id, digest, from, to, missing }) {
  const pairs = [["ProfileVersion", 1], ["MessageID", id], ["Digest", digest], ["From", from],
    ["To", to], ["Received", new Date().toISOString()]];
  return `<xp:Receipt xmlns:xp="${NS}">${lines([...pairs, ...missing.map((n) => ["Missing", n])])}` +
    "</xp:Receipt>";
}

// XP-ERR-002
export function refusal({ id, digest, from, to, code, rule, path }) {
  const trust = /^(sign|algo|cert|party|stale|future|id-)/.test(code);
  const pairs = [["ProfileVersion", 1], ["MessageID", id], ["Digest", digest], ["From", from],
    ["To", to], ["At", new Date().toISOString()], ["Code", code],
    ["Family", trust ? "trust" : "document"], ["Retriable", "false"]];
  const texts = { vi: "Bị từ chối", zh: "已拒绝", en: "Refused" };
  const said = Object.entries(texts)
    .map(([lang, text]) => `<xp:Text lang="${lang}">${text}: ${code}</xp:Text>`).join("");
  const finding = `<xp:Finding code="${code}" expected="" found="" path="${path}" ` +
    `rule="${escaped(rule).replace(/"/g, "&quot;").slice(0, 200)}" severity="refuse"/>`;
  return `<xp:Refusal xmlns:xp="${NS}">${lines(pairs)}${said}${finding}</xp:Refusal>`;
}
