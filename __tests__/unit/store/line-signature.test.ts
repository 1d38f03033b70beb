/** Signatures over the lines of journals, and the reading of signed lines. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { isTornLine, type JournalPosition, noHead, readLine, sealEvent } from "../../../src/store/journal-line.ts";
import { lineSigner } from "../../../src/store/line-signature.ts";

const envelope = { v: 2, run: "r", writer: "w", seq: 1, clock: 1, ts: "2026-01-31T12:00:00.000Z", prev: noHead } as const;
const payload: EventPayload = {
  type: "writer-opened",
  pid: 1,
  processStart: "",
  host: "box",
  wave: "0",
  node: "v20",
  platform: "linux-x64",
};
const start: JournalPosition = { run: "r", writer: "w", seq: 0, head: noHead, clock: 0, closed: false };
const signer = lineSigner("a key");
const signed = sealEvent(envelope, payload, signer.sign);
const line = Buffer.from(signed.line.trimEnd());

describe("a signature", () => {
  it("is an HMAC over the line's hash and the purpose of the signature", () => {
    const mac = createHmac("sha256", "a key").update(`wave journal line v1\0${signed.event.hash}`).digest("hex");
    expect(signed.event.sig).toBe(`v1:${mac}`);
  });

  it("is valid only for its own hash and key", () => {
    const { hash, sig } = signed.event;
    expect(signer.verify(hash, sig)).toBe(true);
    expect(lineSigner("another key").verify(hash, sig)).toBe(false);
    expect(signer.verify("0".repeat(64), sig)).toBe(false);
  });

  it.each([undefined, "", "v1:", "v2:".padEnd(67, "0"), `v1:${"0".repeat(63)}`, `v1:${"0".repeat(64)} `, signed.event.sig?.toUpperCase()])(
    "is not valid as %s",
    (sig) => {
      expect(signer.verify(signed.event.hash, sig)).toBe(false);
    },
  );
});

describe("a signed line", () => {
  it("is read like an unsigned one, with its signature", () => {
    expect(readLine(line, start)).toEqual({ kind: "event", event: signed.event });
  });

  it("has the hash of the same line without a signature", () => {
    expect(sealEvent(envelope, payload).event.hash).toBe(signed.event.hash);
  });

  it("is damaged by any changed byte before its signature", () => {
    const end = line.indexOf('"sig"');
    for (let at = 0; at < end; at += 1) {
      const changed = Buffer.from(line);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(readLine(changed, start).kind).not.toBe("event");
    }
  });

  it("counts as torn wherever its write was cut off, and as damaged if anything follows it", () => {
    for (let end = 1; end <= line.length; end += 1) expect(isTornLine(line.subarray(0, end))).toBe(true);
    expect(isTornLine(Buffer.concat([line, Buffer.from("x")]))).toBe(false);
  });

  it("cannot take its signature from its own payload", () => {
    const forged = sealEvent(envelope, { ...payload, sig: signed.event.sig } as unknown as EventPayload);
    const read = readLine(Buffer.from(forged.line.trimEnd()), start);
    expect(read.kind === "event" && signer.verify(read.event.hash, read.event.sig)).toBe(false);
  });
});
