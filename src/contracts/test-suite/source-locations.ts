/**
 * Finds the places that a test command names while it prints, so that a report can point at source lines. `place-forms.ts` lists the known forms.
 * A stack is one place: its innermost call in a file of the project.
 */
import { hash } from "node:crypto";
import type { Violation } from "../../core/failure.ts";
import { type OnPlace, PlaceReader, type PlaceRule } from "./location-reader.ts";
import { readOutputLines } from "./output-lines.ts";

/** Places that are kept, and places that are counted. */
const limits = { places: 500, counted: 100_000 } as const;

/** One message, and where it may belong: the first of its files that exists. */
interface NamedPlace {
  readonly message: string;
  readonly rule: PlaceRule;
  readonly candidates: readonly NonNullable<Violation["location"]>[];
}

export interface FoundPlaces {
  /** In the order of the output, each place and message once. */
  readonly places: readonly NamedPlace[];
  /** File → the number of places in it that are not in `places`. */
  readonly omitted: ReadonlyMap<string, number>;
}

export interface SourceLines {
  push(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  found(): FoundPlaces;
}

/** `relative` returns a path as the project has it; undefined for a path outside. */
export function sourceLines(relative: (file: string) => string | undefined): SourceLines {
  const places: NamedPlace[] = [];
  const omitted = new Map<string, number>();
  const known = new Set<string>();
  const onPlace: OnPlace = (calls, message, rule) => {
    const candidates = calls.flatMap(({ file, line, column }) => {
      const path = relative(file);
      return path === undefined || isDependency(path) ? [] : [{ file: path, line, column }];
    });
    const [first] = candidates;
    // A digest bounds the memory that a long output takes.
    const key = hash("sha1", JSON.stringify([first, message]), "base64");
    if (first === undefined || known.has(key) || known.size >= limits.counted) return;
    known.add(key);
    if (places.length < limits.places) places.push({ message, rule, candidates });
    else omitted.set(first.file, (omitted.get(first.file) ?? 0) + 1);
  };
  const readers = { stdout: new PlaceReader(onPlace), stderr: new PlaceReader(onPlace) };
  const lines = {
    stdout: readOutputLines((line) => readers.stdout.line(line)),
    stderr: readOutputLines((line) => readers.stderr.line(line)),
  };
  return {
    push: (chunk, stream) => lines[stream].push(chunk),
    found() {
      for (const stream of ["stdout", "stderr"] as const) {
        lines[stream].end();
        readers[stream].end();
      }
      return { places, omitted };
    },
  };
}

/** Code of others that is inside the project's directory. */
function isDependency(file: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages)\//.test(file);
}
