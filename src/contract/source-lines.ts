/**
 * Finds the places that a test command names while it prints, so that a report can point at source lines. `place-forms.ts` lists the known forms.
 * A stack is one place: its innermost call in a file of the project.
 */
import { hash } from "node:crypto";
import type { Violation } from "../model/failure.ts";
import { outputLines } from "./output-lines.ts";
import {
  declaredLevel,
  failureTitle,
  fileHeading,
  headForms,
  innermostFirst,
  innermostLast,
  messageForms,
  placeForms,
  underHeading,
} from "./place-forms.ts";

/** Places that are kept, places that are counted, and calls of one stack. */
const limits = { places: 500, counted: 100_000, calls: 200 } as const;
const unnamed = "a test failed here";

type Location = NonNullable<Violation["location"]>;

/** One message, and where it may belong: the first of its files that exists. */
export interface NamedPlace {
  readonly message: string;
  readonly rule: "test" | "warning" | "note";
  readonly candidates: readonly Location[];
}

export interface FoundPlaces {
  /** In the order of the output, each place and message once. */
  readonly places: readonly NamedPlace[];
  /** File → places in it that are not listed. */
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
  const add = (place: NamedPlace) => {
    const [first] = place.candidates;
    // A digest bounds the memory that a long output takes.
    const key = hash("sha1", JSON.stringify([first, place.message]), "base64");
    if (first === undefined || known.has(key) || known.size >= limits.counted) return;
    known.add(key);
    if (places.length < limits.places) places.push(place);
    else omitted.set(first.file, (omitted.get(first.file) ?? 0) + 1);
  };
  const streams = { stdout: lineReader(relative, add), stderr: lineReader(relative, add) };
  const lines = { stdout: outputLines(streams.stdout.line), stderr: outputLines(streams.stderr.line) };
  return {
    push: (chunk, stream) => lines[stream].push(chunk),
    found() {
      for (const stream of ["stdout", "stderr"] as const) {
        lines[stream].end();
        streams[stream].end();
      }
      return { places, omitted };
    },
  };
}

interface Match {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message?: string;
  readonly level?: string;
}

/** The calls of one stack, the innermost first. */
interface Stack {
  readonly innermost: "first" | "last";
  readonly indent: number;
  readonly calls: Match[];
}

/** Recognizes the places in the lines of one stream. */
function lineReader(relative: (file: string) => string | undefined, add: (place: NamedPlace) => void) {
  let before: { readonly text: string; readonly rule: NamedPlace["rule"] } = { text: unnamed, rule: "test" };
  let head: Match | undefined;
  let heading: string | undefined;
  let stack: Stack | undefined;

  const emit = (calls: readonly Match[], message: string, rule: NamedPlace["rule"]) => {
    const candidates = calls.flatMap(({ file, line, column }) => {
      const path = relative(plainPath(file));
      return path === undefined || isDependency(path) ? [] : [{ file: path, line, column }];
    });
    if (candidates.length > 0) add({ message, rule, candidates });
  };
  const endStack = (message?: string) => {
    if (stack !== undefined) emit(stack.calls, message ?? before.text, message === undefined ? before.rule : "test");
    stack = undefined;
  };
  const endHead = (message: string) => {
    if (head !== undefined) emit([head], message, head.level === "WARNING" ? "warning" : "test");
    head = undefined;
  };

  /** Whether the line belongs to a stack. */
  function readStack(line: string): boolean {
    const first = matched(innermostFirst, line);
    const last = first === undefined ? matched(innermostLast, line) : undefined;
    const call = first ?? last;
    if (call !== undefined) {
      const innermost = first === undefined ? "last" : "first";
      if (stack?.innermost !== innermost) {
        endStack();
        stack = { innermost, indent: indentOf(line), calls: [] };
      }
      if (innermost === "last") stack.calls.unshift(call);
      else if (stack.calls.length < limits.calls) stack.calls.push(call);
      stack.calls.splice(limits.calls);
      return true;
    }
    if (stack === undefined) return false;
    if (stack.innermost === "first") {
      if (/^\s+at /.test(line)) return true;
      endStack();
      return false;
    }
    // Python prints the source below each call, and the exception behind the last one.
    if (line.trim() !== "" && indentOf(line) >= stack.indent) return true;
    endStack(line.trim() === "" ? undefined : line.trim());
    return true;
  }

  return {
    line(line: string): void {
      if (readStack(line)) return;
      const opening = firstMatch(headForms, line);
      if (head !== undefined && line.trim() !== "") {
        endHead(opening === undefined ? line.trim() : unnamed);
        if (opening === undefined) return;
      }
      if (opening !== undefined) {
        head = opening;
        if (opening.message !== undefined) endHead(opening.message);
        return;
      }
      const place = firstMatch(messageForms, line);
      const message = place?.message;
      if (place !== undefined && message !== undefined) return emit([place], message, declaredLevel(message));
      const silent = firstMatch(placeForms, line);
      if (silent !== undefined) return emit([silent], before.text, before.rule);
      const below = heading === undefined ? undefined : matched(underHeading, line, heading);
      if (below?.message !== undefined) {
        const text = below.message.replace(/\s{2,}/g, "  ");
        return emit([below], text, below.level === "warning" ? "warning" : declaredLevel(text));
      }
      if (line.trim() === "") heading = undefined;
      else heading = fileHeading.exec(line)?.groups?.["file"] ?? heading;
      const title = failureTitle.exec(line)?.groups;
      const text = title?.["tap"] ?? title?.["title"] ?? title?.["diagnostic"];
      if (text !== undefined) before = { text, rule: title?.["diagnostic"] === undefined ? "test" : declaredLevel(text) };
    },
    end(): void {
      endStack();
      endHead(unnamed);
    },
  };
}

function firstMatch(forms: readonly RegExp[], line: string): Match | undefined {
  for (const form of forms) {
    const found = matched(form, line);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `heading`: the file of a form that has none of its own. */
function matched(form: RegExp, line: string, heading?: string): Match | undefined {
  const groups = form.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const { message, level } = groups;
  return {
    file: heading ?? groups["file"] ?? "",
    line: Number(groups["line"]),
    column: Number(groups["column"] ?? 1),
    ...(message === undefined ? {} : { message }),
    ...(level === undefined ? {} : { level }),
  };
}

/** A `file:` URL as a path. */
function plainPath(file: string): string {
  if (!file.startsWith("file:")) return file;
  const path = file.replace(/^file:(?:\/\/)?/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Code of others that lies in the project's directory. */
function isDependency(file: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|dist-packages)\//.test(file);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
