/** The tables of `docs/secrets.md` equal the data of the search. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { namedKeys } from "../../../src/redaction/token-names.ts";
import { tokenShapes } from "../../../src/redaction/token-shapes.ts";
import { secretEncodings } from "../../rig/secret-encodings.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../../docs/secrets.md"), "utf8");

/** The first and second cells of a table's rows, below a line that contains `heading`. */
function rowsBelow(heading: string): (readonly [first: string, second: string])[] {
  const lines = page.slice(page.indexOf(heading)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("|---"));
  const end = lines.findIndex((line, at) => at > from && !line.startsWith("|"));
  return lines.slice(from + 1, end).map((line) => {
    const [first = "", second = ""] = line.replace(/^\| *| *\|$/g, "").split(" | ");
    return [first, second] as const;
  });
}

const spans = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
const listed = (heading: string) => new Map(rowsBelow(heading).map(([first, second]) => [spans(first)[0]?.slice(1, -1), spans(second)]));

function byKind(entries: readonly (readonly [kind: string, prefix: string])[]): Map<string, string[]> {
  const kinds = new Map<string, string[]>();
  for (const [kind, prefix] of entries) {
    const known = kinds.get(kind) ?? [];
    if (!known.includes(prefix)) kinds.set(kind, [...known, prefix]);
  }
  return kinds;
}

test("the page lists exactly the encodings that are tested", () => {
  const names = rowsBelow("### Declared values").flatMap(([, second]) => second.split("; "));
  expect([...names].sort()).toEqual(secretEncodings.map(({ name }) => name).sort());
});

test("the page lists exactly the kinds and prefixes of tokens that are found", () => {
  const names = new Set(namedKeys.flatMap((key) => key.names));
  const entries = tokenShapes
    .flatMap(({ kind, prefixes }) => prefixes.map((prefix) => [kind, prefix] as const))
    // Escaped slashes, and digits before or after a mark, are spellings of one prefix.
    .filter(([, prefix]) => !names.has(prefix) && !prefix.includes("\\"))
    .map(
      ([kind, prefix]) =>
        [
          kind,
          prefix
            .replace(/^SK[0-9a-f]$/, "SK")
            .replace(/^[0-9]Q~$/, "Q~")
            .trim(),
        ] as const,
    );
  expect(Object.fromEntries(listed("### Tokens that were not declared"))).toEqual(Object.fromEntries(byKind(entries)));
});

test("the page lists exactly the names of keys that are found by name", () => {
  const entries = namedKeys.flatMap(({ kind, names }) => names.map((name) => [kind, name] as const));
  expect(Object.fromEntries(listed("Some keys have no shape"))).toEqual(Object.fromEntries(byKind(entries)));
});
