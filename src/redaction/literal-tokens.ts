/**
 * Finds tokens in plain text in the files of a manifest, by {@link tokenShapes}. State stores unchanged copies of these files, so a
 * token would be in every artifact and cache entry of a run.
 */
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Position } from "../core/document.ts";
import type { NamedFile } from "../core/loaded.ts";
import { type FoundSecret, type SecretSearch, searchSecrets } from "./secret-search.ts";
import { latin1 } from "./token-match.ts";
import { tokenShapes } from "./token-shapes.ts";
import { urlPassword } from "./url-password.ts";

/**
 * Hosts whose password is often public: this machine, and names without a dot, such as Compose services. A port and a path may follow.
 */
const localHost = /^@(?:127(?:\.[0-9]{1,3}){3}|[^.[/?#\s"']*|\[::1\]|host\.docker\.internal)(?=[:/?#\s"'&,;)\]}`>]|$)/;
/** The longest host name (RFC 1035), with the `@` before it and one character after it. */
const longestHost = 255;

const hint = "list the name of a variable under `secrets:` and set its value where Wave runs; revoke this token if it was shared";

let search: SecretSearch | undefined;

/** One W111 error per token, without the token's text, in order of files and offsets. */
export function literalTokens(files: Iterable<NamedFile>): Diagnostic[] {
  search ??= searchSecrets([], tokenShapes);
  const diagnostics: Diagnostic[] = [];
  for (const file of files) if (file.kind === "text") diagnostics.push(...tokensIn(search, file.path, file.text));
  return diagnostics;
}

function tokensIn(prepared: SecretSearch, path: string, text: string): Diagnostic[] {
  const bytes = Buffer.from(text);
  const secrets: FoundSecret[] = [];
  prepared.scan(bytes, 0, true, (secret) => {
    if (!isLocalPassword(secret, bytes)) secrets.push(secret);
    return false;
  });
  secrets.sort((a, b) => a.start - b.start || a.rank - b.rank);
  const positionAt = positions(bytes);
  const diagnostics: Diagnostic[] = [];
  let covered = 0;
  for (const { kind = "secret", start, end, rest } of secrets) {
    if (start < covered) continue;
    covered = rest === undefined ? end : (rest(bytes, end) ?? bytes.length);
    const range = { start: positionAt(start), end: positionAt(covered) };
    const message = `a literal ${kind} is in this file; state would store it in plain text`;
    diagnostics.push({ code: "W111", severity: "error", message, origin: { file: path, range }, hint });
  }
  return diagnostics;
}

function isLocalPassword({ kind, end }: FoundSecret, bytes: Uint8Array): boolean {
  return kind === urlPassword.kind && localHost.test(latin1(bytes, end, end + longestHost));
}

/** Returns a function from byte offsets to positions. Offsets must not decrease; takes linear time in total. */
function positions(bytes: Buffer): (offset: number) => Position {
  let [read, line, column] = [0, 1, 1];
  return (offset) => {
    const text = bytes.toString("utf8", read, offset);
    const lineStart = text.lastIndexOf("\n") + 1;
    if (lineStart > 0) line += text.split("\n").length - 1;
    column = lineStart > 0 ? text.length - lineStart + 1 : column + text.length;
    read = offset;
    return { line, column };
  };
}
