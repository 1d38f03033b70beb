/**
 * Finds the places that a test command names while it prints: one violation a place, so that a report can point at source lines. It knows the forms of
 * compilers and linters (`path:line:column: message`, `path(line,column): message`), of `node --test` and other TAP writers, of Go, pytest and vitest.
 */
import type { Violation } from "../model/failure.ts";

/** What is looked at: places of one command, and characters of a line. */
const limits = { places: 500, line: 2_000 } as const;

export interface SourceLines {
  push(chunk: Uint8Array): void;
  /** In the order of the output, each place and message once. */
  found(): readonly Violation[];
}

const forms: readonly RegExp[] = [
  // tsc: src/a.ts(3,5): error TS2304: message
  /^\s*(?<file>[^\s():]+)\((?<line>\d+),(?<column>\d+)\): (?<message>.+)$/,
  // gcc, eslint --format unix, go vet, pytest, ruff: src/a.c:3:5: message, src/a.py:3: message
  /^\s*(?<file>[^\s:"'()]+\.\w+):(?<line>\d+):(?:(?<column>\d+):)? ?(?<message>\S.*)$/,
  // TAP of node --test: location: '/path/a.test.js:3:1'
  /^\s*location: ['"](?<file>[^'"]+):(?<line>\d+):(?<column>\d+)['"]\s*$/,
  // vitest: ❯ src/a.test.ts:3:5
  /^\s*❯ (?<file>[^\s:]+\.\w+):(?<line>\d+):(?<column>\d+)\s*$/,
];

/** `relative`: gives a path as the project has it; nothing for one outside. */
export function sourceLines(relative: (file: string) => string | undefined): SourceLines {
  const found = new Map<string, Violation>();
  const decoder = new TextDecoder();
  let rest = "";
  let before = "";
  const look = (line: string) => {
    if (line.length > limits.line || found.size >= limits.places) return;
    const groups = forms.map((form) => form.exec(line)?.groups).find((match) => match !== undefined);
    const file = groups === undefined ? undefined : relative(groups["file"] ?? "");
    if (groups === undefined || file === undefined) {
      if (/^\s*not ok /.test(line)) before = line.replace(/^\s*not ok \d+ (?:- )?/, "");
      else if (/^\s*(?:FAIL|×|✖)\s/.test(line)) before = line.trim();
      return;
    }
    const place = { file, line: Number(groups["line"]), column: Number(groups["column"] ?? 1) };
    const message = groups["message"] ?? (before === "" ? "a test failed here" : before);
    found.set(JSON.stringify([place, message]), { message, location: place, rule: "test" });
  };
  return {
    push(chunk) {
      const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split(/\r?\n/);
      rest = (lines.pop() ?? "").slice(0, limits.line + 1);
      for (const line of lines) look(line);
    },
    found() {
      look(rest);
      rest = "";
      return [...found.values()];
    },
  };
}
