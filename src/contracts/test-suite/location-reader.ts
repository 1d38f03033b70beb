/** Recognizes locations in the lines of one stream, with messages from the lines around them. Pure. */
import { defined } from "../../core/defined.ts";
import {
  declaredLevel,
  fileHeading,
  headForms,
  innermostFirst,
  innermostLast,
  locationForms,
  messageForms,
  testFailureTitle,
  underHeading,
} from "./location-formats.ts";

/** `warning` and `note` are levels declared by the tool. */
export type LocationRule = "test" | "warning" | "note";

/** A location as printed. */
export interface PrintedLocation {
  /** A path, without the prefix of a `file:` URL. */
  readonly file: string;
  /** Starts at 1, like `column`. */
  readonly line: number;
  readonly column: number;
  readonly message?: string;
  readonly level?: string;
}

/** `calls`: one location, or the frames of a stack, innermost first. */
export type OnLocation = (calls: readonly PrintedLocation[], message: string, rule: LocationRule) => void;

interface Stack {
  readonly innermost: "first" | "last";
  readonly indent: number;
  /** Innermost first. */
  readonly calls: PrintedLocation[];
}

const unnamed = "a test failed here";
/** Maximum number of frames kept per stack. */
const maxCalls = 200;

export class LocationReader {
  readonly #onLocation: OnLocation;
  /** The last failure title. */
  #title: { readonly text: string; readonly rule: LocationRule } = { text: unnamed, rule: "test" };
  /** A location whose message is on the next line. */
  #head: PrintedLocation | undefined;
  /** The file of the locations below it. */
  #heading: string | undefined;
  #stack: Stack | undefined;

  constructor(onLocation: OnLocation) {
    this.#onLocation = onLocation;
  }

  line(line: string): void {
    if (!this.#readStack(line) && !this.#readHead(line) && !this.#readLocation(line)) this.#readContext(line);
  }

  end(): void {
    this.#endStack();
    this.#endHead(unnamed);
  }

  /** Whether the line belongs to a stack. */
  #readStack(line: string): boolean {
    const first = matched(innermostFirst, line);
    const call = first ?? matched(innermostLast, line);
    if (call !== undefined) {
      this.#addCall(call, first === undefined ? "last" : "first", indentOf(line));
      return true;
    }
    if (this.#stack === undefined) return false;
    if (this.#stack.innermost === "first") {
      if (/^\s+at /.test(line)) return true;
      this.#endStack();
      return false;
    }
    // Python prints the source line below each frame, and the exception below the last one.
    if (line.trim() !== "" && indentOf(line) >= this.#stack.indent) return true;
    this.#endStack(line.trim() === "" ? undefined : line.trim());
    return true;
  }

  #addCall(call: PrintedLocation, innermost: Stack["innermost"], indent: number): void {
    if (this.#stack?.innermost !== innermost) this.#endStack();
    this.#stack ??= { innermost, indent, calls: [] };
    const { calls } = this.#stack;
    if (innermost === "last") calls.unshift(call);
    else calls.push(call);
    calls.splice(maxCalls);
  }

  /** Whether the line is a location whose message follows, or that message. */
  #readHead(line: string): boolean {
    const opening = firstMatch(headForms, line);
    if (this.#head !== undefined && line.trim() !== "") {
      this.#endHead(opening === undefined ? line.trim() : unnamed);
      if (opening === undefined) return true;
    }
    if (opening === undefined) return false;
    this.#head = opening;
    if (opening.message !== undefined) this.#endHead(opening.message);
    return true;
  }

  /** Whether the line is a complete location, or one below a file name. */
  #readLocation(line: string): boolean {
    const complete = firstMatch(messageForms, line);
    if (complete?.message !== undefined) {
      this.#onLocation([complete], complete.message, declaredLevel(complete.message));
      return true;
    }
    const silent = firstMatch(locationForms, line);
    if (silent !== undefined) {
      this.#onLocation([silent], this.#title.text, this.#title.rule);
      return true;
    }
    const below = this.#heading === undefined ? undefined : matched(underHeading, line, this.#heading);
    if (below?.message === undefined) return false;
    const text = below.message.replace(/\s{2,}/g, "  ");
    this.#onLocation([below], text, below.level === "warning" ? "warning" : declaredLevel(text));
    return true;
  }

  #readContext(line: string): void {
    if (line.trim() === "") this.#heading = undefined;
    else this.#heading = fileHeading.exec(line)?.groups?.["file"] ?? this.#heading;
    const title = testFailureTitle.exec(line)?.groups;
    const diagnostic = title?.["diagnostic"];
    const text = title?.["tap"] ?? title?.["title"] ?? diagnostic;
    if (text !== undefined) this.#title = { text, rule: diagnostic === undefined ? "test" : declaredLevel(text) };
  }

  #endStack(message?: string): void {
    const { text, rule } = message === undefined ? this.#title : { text: message, rule: "test" as const };
    if (this.#stack !== undefined) this.#onLocation(this.#stack.calls, text, rule);
    this.#stack = undefined;
  }

  #endHead(message: string): void {
    if (this.#head !== undefined) this.#onLocation([this.#head], message, this.#head.level === "WARNING" ? "warning" : "test");
    this.#head = undefined;
  }
}

function firstMatch(forms: readonly RegExp[], line: string): PrintedLocation | undefined {
  for (const form of forms) {
    const match = matched(form, line);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** `heading`: the file for formats without the group `file`. */
function matched(form: RegExp, line: string, heading?: string): PrintedLocation | undefined {
  const groups = form.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const { message, level } = groups;
  return {
    file: plainPath(heading ?? groups["file"] ?? ""),
    // Some tools print line or column 0 for the whole file.
    line: Math.max(1, Number(groups["line"])),
    column: Math.max(1, Number(groups["column"] ?? 1)),
    ...defined({ message, level }),
  };
}

/** Converts a `file:` URL to a path. Returns other texts unchanged. */
function plainPath(file: string): string {
  if (!file.startsWith("file:")) return file;
  const path = file.replace(/^file:(?:\/\/)?/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
