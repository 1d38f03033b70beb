/** State as a hostile job would leave it: journals with valid hashes whatever they hold, uploaded or cached under any name. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EventPayload, WaveEvent } from "../../../src/core/event.ts";
import { noHead, sealEvent } from "../../../src/store/journal-line.ts";
import { zipOf } from "../zip.ts";
import type { CacheEntry } from "./results-calls.ts";
import type { ResultsService } from "./results-service.ts";

/** Path below a state directory, with forward slashes → bytes, or where a link leads. */
export type Pack = Record<string, string | Uint8Array | { readonly link: string }>;

/** Journals and blobs of a state directory. */
export function packOf(stateDir: string): Record<string, Buffer> {
  const names = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  const wanted = names.filter((name) => /^(?:journals\/.*\.jsonl|blobs\/sha256\/..\/[0-9a-f]{62})$/.test(name)).sort();
  return Object.fromEntries(wanted.map((name) => [name, readFileSync(path.join(stateDir, name))]));
}

/** Whatever an event is changed to; `undefined` leaves it out. */
export type Change = (event: WaveEvent, index: number) => object | undefined;

/** A journal's text with other events and a valid chain of hashes: sequence, `prev` and `hash` are computed again, the rest is as it was changed. */
export function forgedJournal(text: string, change: Change, sign?: (hash: string) => string): string {
  let prev = noHead;
  let seq = 0;
  const lines: string[] = [];
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    const changed = change(JSON.parse(line) as WaveEvent, index);
    if (changed === undefined) continue;
    const { prev: _prev, hash: _hash, sig: _sig, seq: _seq, v, run, writer, clock, ts, ...payload } = changed as Record<string, unknown>;
    seq += 1;
    const closed = payload["type"] === "writer-closed" ? { head: prev } : {};
    const envelope = { v, run, writer, seq, clock, ts, prev } as Parameters<typeof sealEvent>[0];
    const sealed = sealEvent(envelope, { ...payload, ...closed } as EventPayload, sign);
    prev = sealed.event.hash;
    lines.push(sealed.line);
  }
  return lines.join("");
}

/** A pack whose journals are changed. */
export function forgedPack(pack: Readonly<Record<string, Buffer>>, change: Change, sign?: (hash: string) => string): Pack {
  return Object.fromEntries(
    Object.entries(pack).map(([name, bytes]) => [name, name.endsWith(".jsonl") ? forgedJournal(bytes.toString(), change, sign) : bytes]),
  );
}

/** Uploads an artifact to a workflow run, as any of its jobs can. */
export async function uploadArtifact(
  service: ResultsService,
  to: { runId: number; name: string; job?: string },
  pack: Pack,
): Promise<void> {
  const bytes = zipOf(pack);
  const id = service.artifacts.length + 1;
  const blob = `forged-artifact-${id}`;
  await service.storage.write(blob, bytes);
  const createdAt = new Date(1_700_000_000_000 + id * 1000).toISOString();
  service.artifacts.push({ job: "rogue", attempt: 1, ...to, id, blob, createdAt, size: bytes.length, finalized: true });
}

/** Saves a cache entry under a key and a ref, packed like `like`, an entry that the client made. */
export async function saveEntry(
  service: ResultsService,
  like: CacheEntry,
  entry: { key: string; ref: string },
  tar: Uint8Array,
): Promise<void> {
  const packed = await service.storage.read(like.blob);
  const id = service.caches.length + 1;
  const blob = `forged-cache-${id}`;
  const program = packed.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : "gzip";
  await service.storage.write(blob, execFileSync(program, ["-c"], { input: tar, maxBuffer: 1e9 }));
  service.caches.push({ ...entry, id, version: like.version, blob, finalized: true });
}

/** The archive of a cache entry: a pack below the path that is cached. */
export function tarOf(pack: Pack): Buffer {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-forged-"));
  try {
    for (const [name, content] of Object.entries(pack)) {
      const file = path.join(directory, ".wave/state/cache", name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (typeof content === "object" && "link" in content) execFileSync("ln", ["-s", content.link, file]);
      else writeFileSync(file, content);
    }
    return execFileSync("tar", ["-cf", "-", ".wave/state/cache"], { cwd: directory, maxBuffer: 1e9 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An archive as no tar would write it: names and kinds as they are given, in the given order. Format `ustar`, one byte a file. */
export function rawTar(entries: readonly { readonly name: string; readonly link?: string }[]): Buffer {
  const blocks = entries.flatMap(({ name, link }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(`0000644\u00000000000\u00000000000\u0000`, 100);
    header.write(`${(link === undefined ? 1 : 0).toString(8).padStart(11, "0")}\u0000${"0".repeat(11)}\u0000${" ".repeat(8)}`, 124);
    header.write(link === undefined ? "0" : "2", 156);
    header.write(link ?? "", 157, 100);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return link === undefined ? [header, Buffer.alloc(512, "x", "latin1").fill(0, 1)] : [header];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
