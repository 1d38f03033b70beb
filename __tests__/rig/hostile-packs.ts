/** Packs of state that were tampered with in any way: for property tests. Journals keep valid hashes, so that what they hold is what is tested. */
import type { WaveEvent } from "../../src/core/event.ts";
import { type Change, forgedJournal, type Pack } from "./actions/forged-state.ts";
import fc from "./property.ts";

type Json = Record<string, unknown>;

/** One thing that is done to a pack. */
export type Tampering =
  /** Sets, adds or removes a member somewhere in one event. `at` chooses event and member. */
  | { readonly kind: "member"; readonly at: readonly number[]; readonly value: unknown }
  /** Leaves an event out, repeats it, or changes its type. */
  | { readonly kind: "event"; readonly at: number; readonly what: "drop" | "repeat" | "retype"; readonly type: string }
  /** Changes bytes of a file, whatever it is. */
  | { readonly kind: "bytes"; readonly at: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "rename"; readonly at: number; readonly name: string }
  | { readonly kind: "link"; readonly at: number; readonly target: string }
  | { readonly kind: "extra"; readonly name: string; readonly bytes: Uint8Array };

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    -1,
    0,
    1,
    2 ** 53,
    1e308,
    "",
    "..",
    "../../../../tmp/x",
    "__proto__",
    "constructor",
    "\u0000",
    "a\nb",
  ),
  fc.constantFrom<unknown>(
    {},
    [],
    [{}],
    { reason: "contract-failed" },
    { reason: "manifest-invalid", diagnostics: [{}] },
    { __proto__: null },
  ),
  fc.constantFrom<unknown>("sha256:zz", `sha256:${"0".repeat(64)}`, "2026-13-45T99:99:99.999Z", "passed", "failed", "run-failed"),
  fc.jsonValue(),
);

const names = fc.constantFrom(
  ...["journals/../../x.jsonl", "journals/own/../x.jsonl", "journals/a/b/c.jsonl", "journals/.hidden/w.jsonl", "journals/r/.w.jsonl"],
  ...["blobs/sha256/../x", `blobs/sha256/ab/${"c".repeat(62)}`, "locks/run-own", "workspaces/own/a", "logs/own/a.1.log", ".gitignore"],
  ...["journals/own/other.jsonl", "journals/forged/w1.jsonl", "wave.db", "wave.db.damaged", "cache/x"],
);

const types = fc.constantFrom(
  ...["run-started", "run-resumed", "attempt-started", "attempt-passed", "attempt-failed", "step-finished", "step-reused", "step-reopened"],
  ...[
    "contract-checked",
    "changes-merged",
    "changes-applied",
    "rollback-started",
    "changes-undone",
    "steps-rolled-back",
    "run-finished",
    "writer-closed",
    "no-event",
  ],
);

export const tampering: fc.Arbitrary<Tampering> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("member" as const), at: fc.array(fc.nat(40), { minLength: 2, maxLength: 5 }), value: odd }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      at: fc.nat(40),
      what: fc.constantFrom("drop" as const, "repeat" as const, "retype" as const),
      type: types,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("bytes" as const),
      at: fc.nat(20),
      offset: fc.nat(5000),
      bytes: fc.uint8Array({ maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rename" as const), at: fc.nat(20), name: names }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("link" as const),
      at: fc.nat(20),
      target: fc.constantFrom("/etc/passwd", "..", "/", "nowhere"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("extra" as const), name: names, bytes: fc.uint8Array({ maxLength: 200 }) }) },
);

/** A pack with everything done to it, one after the other. Journals are sealed again after each change of their events. */
export function tampered(pack: Readonly<Record<string, Buffer>>, what: readonly Tampering[]): Pack {
  let files: Pack = { ...pack };
  for (const one of what) files = apply(files, one);
  return files;
}

function apply(files: Pack, one: Tampering): Pack {
  const all = Object.keys(files).sort();
  const pick = (at: number, among: readonly string[]) => among[at % Math.max(1, among.length)];
  if (one.kind === "extra") return { ...files, [one.name]: one.bytes };
  if (one.kind === "member" || one.kind === "event") {
    const at = one.kind === "member" ? (one.at[0] ?? 0) : one.at;
    const name = pick(
      at,
      all.filter((file) => file.endsWith(".jsonl") && Buffer.isBuffer(files[file])),
    );
    const journal = name === undefined ? undefined : files[name];
    if (name === undefined || !Buffer.isBuffer(journal)) return files;
    const text = one.kind === "event" && one.what === "repeat" ? repeated(journal.toString(), at) : journal.toString();
    try {
      return { ...files, [name]: Buffer.from(forgedJournal(text, changeOf(one))) };
    } catch (error) {
      // Earlier bytes were changed: it is no JSON any more.
      if (error instanceof SyntaxError || error instanceof TypeError) return files;
      throw error;
    }
  }
  const name = pick(one.at, all);
  const content = name === undefined ? undefined : files[name];
  if (name === undefined || content === undefined) return files;
  if (one.kind === "link") return { ...files, [name]: { link: one.target } };
  if (!Buffer.isBuffer(content)) return files;
  if (one.kind === "bytes") {
    const bytes = Buffer.from(content);
    bytes.set(one.bytes.subarray(0, Math.max(0, bytes.length - (one.offset % (bytes.length + 1)))), one.offset % (bytes.length + 1));
    return { ...files, [name]: bytes };
  }
  const { [name]: _gone, ...others } = files;
  return { ...others, [one.name]: content };
}

function repeated(text: string, at: number): string {
  const lines = text.trimEnd().split("\n");
  return `${lines.flatMap((line, index) => (index === at % lines.length ? [line, line] : [line])).join("\n")}\n`;
}

function changeOf(one: Extract<Tampering, { kind: "member" | "event" }>): Change {
  if (one.kind === "member") {
    const [, at = 0, ...way] = one.at;
    return (event, index) => (index === at % 12 ? changed(event, way, one.value) : event);
  }
  if (one.what === "repeat") return (event) => event;
  return (event, index) =>
    index !== one.at % 12 ? event : one.what === "drop" ? undefined : ({ ...event, type: one.type } as unknown as WaveEvent);
}

/** Follows a way of numbers into an event, and changes the member that it ends at. */
function changed(event: WaveEvent, way: readonly number[], value: unknown): object {
  const copy = structuredClone(event) as unknown as Json;
  let place: Json = copy;
  const steps = way.length === 0 ? [0] : way;
  for (const [index, step] of steps.entries()) {
    const keys = Object.keys(place);
    const key = keys[step % (keys.length + 1)] ?? "another";
    const next = place[key];
    if (index < steps.length - 1 && typeof next === "object" && next !== null) place = next as Json;
    else {
      Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
      break;
    }
  }
  return copy;
}
