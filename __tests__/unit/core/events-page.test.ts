/** The page of events: its example is a valid journal, and it describes the whole catalogue. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { WaveEvent } from "../../../src/core/event.ts";
import { eventSchemas } from "../../../src/core/event-schemas.ts";
import { noHead, readLine } from "../../../src/store/journal-line.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../../docs/events.md"), "utf8");
const journal = (/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "").trimEnd().split("\n");

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Every member of a schema, as `type.member`. */
function members(name: string, { properties = {}, items }: Schema): [string, Schema][] {
  const own = Object.entries(properties).flatMap(([key, member]): [string, Schema][] => [
    [`${name}.${key}`, member],
    ...members(`${name}.${key}`, member),
  ]);
  return items === undefined ? own : [...own, ...members(`${name}[]`, items)];
}

describe("the example", () => {
  test("has the hashes that the rule on the page produces", () => {
    expect(journal).toHaveLength(3);
    let prev = "0".repeat(64);
    for (const line of journal) {
      const event = JSON.parse(line) as WaveEvent;
      expect(event.prev).toBe(prev);
      const body = line.slice(0, line.indexOf(',"hash":'));
      expect(createHash("sha256").update(body, "utf8").digest("hex")).toBe(event.hash);
      if (event.type === "writer-closed") expect(event.head).toBe(event.prev);
      prev = event.hash;
    }
  });

  test("is a journal that Wave reads", () => {
    let at = { run: "3f9ac2d014", writer: "20260131T120001000Z-9d3e51aa", seq: 0, head: noHead, clock: 0, closed: false };
    for (const line of journal) {
      const read = readLine(Buffer.from(line), at);
      expect(read.kind).toBe("event");
      const { seq, hash: head, clock, type } = JSON.parse(line) as WaveEvent;
      at = { ...at, seq, head, clock, closed: type === "writer-closed" };
    }
    expect(at.closed).toBe(true);
  });
});

describe("the catalogue", () => {
  const types = Object.entries(eventSchemas) as [string, Schema][];

  test("describes every type and every member", () => {
    const all = types.flatMap(([type, schema]) => [[type, schema] as const, ...members(type, schema)]);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, { description = "" }]) => description === "").map(([name]) => name)).toEqual([]);
  });

  test("is complete on the page", () => {
    for (const [type] of types) expect(page).toContain(`\n### ${type}\n`);
  });
});
