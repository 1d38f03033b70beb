/** Words for schema rules in diagnostics and docs. */
import type { DocumentNode, DocumentPath } from "../../core/document.ts";

/** Descriptions of all patterns in the manifest's schemas. A test checks that the list is complete. */
export const forms: Readonly<Record<string, string>> = {
  "^[A-Za-z0-9_](?:[A-Za-z0-9_-]|\\.(?!\\.))*$":
    "a name: ASCII letters and digits, `_`, `-` and single dots, not starting with `-` or a dot",
  "^[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h)(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h))*$": "a duration such as `90s`, `10m` or `1h30m`",
  "^[0-9]+(?:\\.[0-9]+)?\\s?(?:B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$": "a size such as `512MB`, `2GB` or `1GiB`",
  "^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable: ASCII letters, digits and `_`, not starting with a digit",
  "^(?:file_read|file_write|network_access|command):.+$":
    "a permission rule: `file_read:`, `file_write:`, `network_access:` or `command:`, followed by a pattern",
  "^[a-z0-9.+-]+/[A-Za-z0-9.+-]+$": "a media type such as `application/json`",
  "^(?:claude|codex|copilot|gemini|opencode)@[0-9]+\\.[0-9]+\\.[0-9]+\\S*$": "an agent and its exact version, such as `claude@2.1.330`",
  "^https?://": "a URL that starts with `http://` or `https://`",
};

const kinds: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  integer: "an integer",
  boolean: "`true` or `false`",
  array: "a list",
  object: "a map",
  null: "null",
};

/** Describes JSON types: `a string`, `a list or a map`. */
export function kindsOf(types: readonly string[]): string {
  const words = [...new Set(types.map((type) => kinds[type] ?? type))];
  const last = words.pop() ?? "anything";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}

/** Describes the type of a node. */
export function nodeKind(node: DocumentNode | undefined): string {
  if (node === undefined || (node.kind === "scalar" && node.value === null)) return "null";
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a map";
  return kinds[typeof node.value] ?? "something else";
}

/** Describes a position in a document: `timeout`, item 2 of `inputs`, the file. */
export function nameOf(path: DocumentPath): string {
  const last = path.at(-1);
  if (last === undefined) return "the file";
  if (typeof last === "string") return `\`${last}\``;
  const list = path.at(-2);
  return typeof list === "string" ? `item ${last + 1} of \`${list}\`` : `item ${last + 1}`;
}
