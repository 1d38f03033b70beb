/**
 * Checks the rows of a database that comes from elsewhere, column by column: what reading the tables rests on is what Wave lays in. Whether rows are
 * true is not checked.
 */
import type { Database } from "sql.js";
import { rowsOf } from "./sql-engine.ts";

/** What a column with JSON holds. */
export type StoredJson = "base" | "changes" | "dependencies" | "failure" | "inputs" | "options" | "parts" | "usage";

/** Returns what is wrong with a value, as a clause; undefined if nothing is. */
export type JsonCheck = (kind: StoredJson, value: unknown) => string | undefined;

const json: readonly (readonly [table: string, column: string, kind: StoredJson])[] = [
  ["runs", "options", "options"],
  ["runs", "base", "base"],
  ["runs", "failure", "failure"],
  ["runs", "changes", "changes"],
  ["runs", "in_project", "changes"],
  ["steps", "dependencies", "dependencies"],
  ["steps", "parts", "parts"],
  ["steps", "failure", "failure"],
  ["steps", "changes", "changes"],
  ["attempts", "parts", "parts"],
  ["attempts", "inputs", "inputs"],
  ["attempts", "failure", "failure"],
  ["attempts", "changes", "changes"],
  ["attempts", "usage", "usage"],
];

/** Of steps and artifacts, which files can be named after. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
const name = /^(?!\.{1,2}$)[^\u0000-\u001f\u007f/\\]{1,200}$/;

const words: readonly (readonly [table: string, column: string, pattern: RegExp])[] = [
  ["runs", "run", /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/],
  ["runs", "outcome", /^(?:pending|passed|failed|cancelled)$/],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
  ["runs", "open_rollback", /^(?!\.{1,2}$)[^\u0000-\u001f\u007f/\\]{0,200}$/],
  ["steps", "status", /^(?:pending|running|passed|failed|skipped|cancelled)$/],
  ["steps", "step", name],
  ["artifacts", "name", name],
  ["attempts", "status", /^(?:running|passed|failed|cancelled)$/],
  ["contract_results", "verdict", /^(?:pass|fail|error)$/],
  ["contract_results", "on_failure", /^(?:halt|retry|warn)$/],
  ["alerts", "outcome", /^(?:sent|failed)$/],
];

const times: readonly (readonly [table: string, column: string])[] = [
  ["runs", "started_at"],
  ["runs", "finished_at"],
  ["attempts", "started_at"],
  ["attempts", "finished_at"],
  ["breaker_samples", "at"],
  ["breaker_resets", "at"],
  ["alerts", "at"],
];
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The first column that holds what Wave does not write, as a clause; undefined if none does. */
export function rowsProblem(db: Database, check: JsonCheck): string | undefined {
  for (const [table, column, kind] of json) {
    if (valuesOf(db, table, column).some((value) => jsonProblem(value, kind, check))) return placeOf(table, column);
  }
  for (const [table, column, pattern] of words) {
    if (valuesOf(db, table, column).some((value) => typeof value !== "string" || !pattern.test(value))) return placeOf(table, column);
  }
  for (const [table, column] of times) {
    const wrong = (value: unknown) => typeof value !== "string" || !time.test(value) || Number.isNaN(Date.parse(value));
    if (valuesOf(db, table, column).some(wrong)) return placeOf(table, column);
  }
  return undefined;
}

function valuesOf(db: Database, table: string, column: string): readonly unknown[] {
  const sql = `SELECT DISTINCT "${column}" AS value FROM ${table} WHERE "${column}" IS NOT NULL`;
  return rowsOf(db, sql).map((row) => row["value"]);
}

function jsonProblem(text: unknown, kind: StoredJson, check: JsonCheck): boolean {
  if (typeof text !== "string") return true;
  try {
    return check(kind, JSON.parse(text)) !== undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}

function placeOf(table: string, column: string): string {
  return `its column ${table}.${column} holds a value that Wave does not write`;
}
