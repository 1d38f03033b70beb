/**
 * Finds tokens written in plain text in the files of a manifest. State keeps these files as they are, so such a token would
 * travel with every artifact and cache entry of a run. The shapes are those of {@link tokenShapes}.
 */
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Position } from "../core/document.ts";
import type { NamedFile } from "../core/loaded.ts";
import { type FoundSecret, type SecretSearch, searchSecrets } from "./secret-search.ts";
import { latin1 } from "./token-match.ts";
import { tokenShapes } from "./token-shapes.ts";
import { urlPassword } from "./url-password.ts";

/**
 * Hosts whose password is often public: this machine, and names without a dot, as services of Compose and jobs have them.
 * A port and a path may follow.
 */
const localHost = /^@(?:127(?:\.[0-9]{1,3}){3}|[^.[/?#\s"']*|\[::1\]|host\.docker\.internal)(?=[:/?#\s"'&,;)\]}`>]|$)/;
/** The longest name of a host (RFC 1035), with the `@` before it and a character behind it. */
const longestHost = 255;

const hint = "list the name of a variable under `secrets:` and set its value where Wave runs; revoke this one if it was shared";

let search: SecretSearch | undefined;

/** One W111 error for each token, without the token's text. The order is that of files and offsets. */
export function literalTokens(files: Iterable<NamedFile>): Diagnostic[] {
  search ??= searchSecrets([], tokenShapes);
  const found: Diagnostic[] = [];
  for (const file of files) if (file.kind === "text") found.push(...tokensIn(search, file.path, file.text));
  return found;
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
    const message = `a literal ${kind} is written here; state would keep it in plain text`;
    diagnostics.push({ code: "W111", severity: "error", message, origin: { file: path, range }, hint });
  }
  return diagnostics;
}

function isLocalPassword({ kind, end }: FoundSecret, bytes: Uint8Array): boolean {
  return kind === urlPassword.kind && localHost.test(latin1(bytes, end, end + longestHost));
}

/** Byte offsets to positions, in linear time: each offset must be at or after the one before. */
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
