/**
 * Finds source locations in the output of a test command, so that reports can point at lines. `location-formats.ts` lists the
 * known formats. A stack is one location: its innermost frame in a project file.
 */
import { hash } from "node:crypto";
import type { Violation } from "../../core/failure.ts";
import { type OnPlace, PlaceReader, type PlaceRule } from "./location-reader.ts";
import { readOutputLines } from "./output-lines.ts";

/** Maximum number of locations that are kept, and that are counted. */
const limits = { places: 500, counted: 100_000 } as const;

/** One message with its candidate locations. The first one whose file exists counts. */
interface NamedPlace {
  readonly message: string;
  readonly rule: PlaceRule;
  readonly candidates: readonly NonNullable<Violation["location"]>[];
}

export interface FoundPlaces {
  /** In output order, without duplicates. */
  readonly places: readonly NamedPlace[];
  /** File → number of its locations that are not in `places`. */
  readonly omitted: ReadonlyMap<string, number>;
}

export interface SourceLines {
  push(chunk: Uint8Array, stream: "stdout" | "stderr"): void;
  found(): FoundPlaces;
}

/** `relative` returns the path relative to the project; undefined for a path outside it. */
export function sourceLines(relative: (file: string) => string | undefined): SourceLines {
  const places: NamedPlace[] = [];
  const omitted = new Map<string, number>();
  const seen = new Set<string>();
  const onPlace: OnPlace = (calls, message, rule) => {
    const candidates = calls.flatMap(({ file, line, column }) => {
      const path = relative(file);
      return path === undefined || isDependency(path) ? [] : [{ file: path, line, column }];
    });
    const [first] = candidates;
    // A digest limits the memory that a long output takes.
    const key = hash("sha1", JSON.stringify([first, message]), "base64");
    if (first === undefined || seen.has(key) || seen.size >= limits.counted) return;
    seen.add(key);
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

/** Whether a file belongs to an installed dependency. */
function isDependency(file: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages)\//.test(file);
}
