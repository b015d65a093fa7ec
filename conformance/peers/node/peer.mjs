// A tiny counterpart: `node peer.mjs serve config.json` or `node peer.mjs send config.json`.
// It keeps what it accepted in memory only: it is a second opinion, not a gateway.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import * as xp from "./exchange.mjs";

const config = JSON.parse(readFileSync(process.argv[3]));
const LARGEST = 10_000_000; // XP-LIM-001
const MINUTE = 60_000;

const pins = (files) => new Set(files.map(xp.fingerprint));

function checked(envelope) {
  const said = (name) => xp.textOf(envelope, name);
  const must = (held, code, rule, name) => {
    if (!held) throw new xp.Refused(code, rule, `Envelope/${name}`);
  };
  must(said("ProfileVersion") === "1", "version-unsupported", "profile-version", "ProfileVersion");
  must(said("From") === config.other, "party-mismatch", "party", "From");
  must(said("To") === config.party, "wrong-recipient", "recipient", "To");
  const test = said("TestIndicator") === "true";
  must(test === config.test, "rule-broken", "test-indicator", "TestIndicator");
  return said;
}

// XP-DUP-006, 007: only for what is not known.
function timely(said) {
  const created = Date.parse(said("Created"));
  if (created - Date.now() > 5 * MINUTE) throw new xp.Refused("future-dated");
  if (Date.parse(said("Expires")) < Date.now()) throw new xp.Refused("stale");
}

const known = new Map();
const numbers = new Map();

async function accept(octets, seen, keys) {
  const document = xp.parse(octets);
  const digest = await xp.verify(document, keys.messages);
  const root = document.documentElement;
  if (root.localName !== "Message" || root.namespaceURI !== xp.NS) throw new xp.Refused("type-unknown");
  const said = checked(xp.child(root, "Envelope"));
  Object.assign(seen, { id: said("MessageID"), digest });
  const first = known.get(seen.id);
  if (first && first.digest !== digest) throw new xp.Refused("id-conflict");
  if (first) return first.receipt;
  timely(said);
  const had = numbers.get(said("OrderKey")) ?? new Set();
  const missing = [];
  for (let n = 1; n < Number(said("Sequence")); n += 1) if (!had.has(n)) missing.push(n);
  numbers.set(said("OrderKey"), had.add(Number(said("Sequence"))));
  const parties = { from: config.party, to: config.other };
  const receipt = await xp.sign(xp.receipt({ ...seen, ...parties, missing }), keys.receipt);
  known.set(seen.id, { digest, receipt });
  console.log(JSON.stringify({ accepted: seen.id, type: said("DocumentType"), digest }));
  return receipt;
}

async function answer(octets, keys) {
  const seen = { id: "", digest: createHash("sha256").update(octets).digest("hex") }; // XP-ERR-003
  try {
    return [200, await accept(octets, seen, keys)];
  } catch (fault) {
    if (!(fault instanceof xp.Refused)) console.error(fault);
    const code = fault instanceof xp.Refused ? fault.code : "malformed";
    const said = { ...seen, from: config.party, to: config.other, code, rule: fault.rule ?? code,
      path: fault.path ?? "" };
    console.log(JSON.stringify({ refused: code, rule: fault.rule }));
    return [422, await xp.sign(xp.refusal(said), keys.receipt)];
  }
}

async function serve() {
  const keys = {
    messages: pins(config.theirs.messages),
    receipt: await xp.loadKey(config.receipt.key, config.receipt.certificate),
  };
  const options = {
    key: readFileSync(config.server.key), cert: readFileSync(config.server.certificate),
    ca: readFileSync(config.server.anchors), requestCert: true, rejectUnauthorized: true,
  };
  const server = https.createServer(options, (request, response) => {
    const parts = [];
    let size = 0;
    request.on("data", (part) => {
      size += part.length;
      if (size <= LARGEST) parts.push(part);
    });
    request.on("end", async () => {
      if (request.url !== "/exchange/v1" || request.method !== "POST") {
        response.writeHead(404).end();
        return;
      }
      const [status, body] = size > LARGEST ? [413, ""] : await answer(Buffer.concat(parts), keys);
      response.writeHead(status, { "Content-Type": "application/xml" }).end(body);
    });
  });
  server.listen(config.server.port, "127.0.0.1", () => console.log(JSON.stringify({ ready: true })));
}

function post(octets) {
  const options = {
    method: "POST", headers: { "Content-Type": "application/xml" },
    key: readFileSync(config.tls.key), cert: readFileSync(config.tls.certificate),
    ca: readFileSync(config.anchors), timeout: 30_000,
  };
  return new Promise((resolve, reject) => {
    const request = https.request(config.url, options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve([response.statusCode, Buffer.concat(parts)]));
    });
    request.on("error", reject);
    request.end(octets);
  });
}

async function send() {
  const { envelope } = config;
  const body = readFileSync(config.document, "utf8").replace(/^<\?xml[^>]*\?>\s*/, "");
  const now = new Date(envelope.Created ?? Date.now());
  const fields = Object.entries({
    ProfileVersion: 1, MessageID: envelope.MessageID, ConversationID: envelope.MessageID,
    From: config.party, To: config.other, DocumentType: envelope.DocumentType,
    DocumentTypeVersion: "1.0", Function: "original", DocumentVersion: 1,
    OrderKey: envelope.OrderKey, Sequence: 1, Created: now.toISOString(),
    Expires: new Date(now.getTime() + 8 * 24 * 60 * MINUTE).toISOString(),
    TestIndicator: config.test,
    Commitment: createHash("sha256").update(envelope.MessageID).digest("hex"),
  });
  const key = await xp.loadKey(config.message.key, config.message.certificate);
  const signed = await xp.sign(xp.message(fields, body), key);
  const [status, octets] = await post(Buffer.from(signed));
  const document = xp.parse(octets);
  await xp.verify(document, pins(config.theirs.receipts)); // XP-RCP-006
  const root = document.documentElement;
  const said = (name) => xp.textOf(root, name);
  const bound = root.localName === "Receipt" && said("MessageID") === envelope.MessageID &&
    said("Digest") === xp.digestOf(xp.parse(Buffer.from(signed))) &&
    said("From") === config.other && said("To") === config.party;
  const code = root.localName === "Refusal" ? said("Code") : "";
  console.log(JSON.stringify({ status, kind: root.localName, bound, code }));
  process.exit(bound ? 0 : 1);
}

await { serve, send }[process.argv[2]]();
