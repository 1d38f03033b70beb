/** The name of a job in reports: its id in the workflow file and its matrix values, formatted as on GitHub. Pure. */
import { digestOfBytes } from "../core/digest.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { printable } from "../text/printable.ts";

/** Maximum length of all values together, in characters. */
const maxLength = 100;

/** `build`, or `build, 22, ubuntu-latest` for a job of a matrix. `matrixKey` is the input of that name. */
export function jobLabel(job: string, matrixKey: string): string {
  const values = matrixText(matrixKey);
  return values === "" ? job : `${job}, ${values}`;
}

/** ` (build, 22)` for headings that name only the pipeline; empty without a matrix. */
export function matrixSuffix(job: string, matrixKey: string): string {
  return matrixText(matrixKey) === "" ? "" : ` (${jobLabel(job, matrixKey)})`;
}

/** The values of a matrix, in its order: `22, ubuntu-latest`. A key that is not JSON stays unchanged. Long texts end with a digest. */
export function matrixText(matrixKey: string): string {
  const key = matrixKey.trim();
  if (["", "null", "{}"].includes(key)) return "";
  const text = printable(valuesOf(parsed(key)).join(", "));
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, "")}… ${digestOfBytes(key).slice("sha256:".length, "sha256:".length + 8)}`;
}

function valuesOf(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(valuesOf);
  if (isJsonObject(value)) return Object.values(value).flatMap(valuesOf);
  return [String(value)];
}

function parsed(key: string): JsonValue {
  try {
    return JSON.parse(key) as JsonValue;
  } catch {
    return key;
  }
}
