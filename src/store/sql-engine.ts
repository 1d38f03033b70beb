/**
 * SQLite, compiled to WebAssembly. The bundle has its bytes beside the chunk; sources read them from the package.
 * Imported lazily, so that commands without queries never load it.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { BindParams, Database, SqlJsStatic, SqlValue } from "sql.js";

export type { Database } from "sql.js";

let engine: Promise<SqlJsStatic> | undefined;

/** Loads the engine once. */
export function loadSql(): Promise<SqlJsStatic> {
  engine ??= start();
  return engine;
}

async function start(): Promise<SqlJsStatic> {
  const beside = new URL("./sql-wasm.wasm", import.meta.url);
  const bytes = await readFile(existsSync(beside) ? beside : createRequire(import.meta.url).resolve("sql.js/dist/sql-wasm.wasm"));
  const wasmBinary = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { default: initSqlJs } = await import("sql.js");
  return initSqlJs({ wasmBinary });
}

/** A row, by column. */
export type Row = Readonly<Record<string, SqlValue>>;

/** All rows of a query. */
export function rowsOf(db: Database, sql: string, params: BindParams = []): readonly Row[] {
  return mapRows(db, sql, params, (row) => row);
}

/** The results of `read` for each row of a query. The rows themselves are not kept. */
export function mapRows<T>(db: Database, sql: string, params: BindParams, read: (row: Row) => T): readonly T[] {
  const statement = db.prepare(sql);
  try {
    const results: T[] = [];
    statement.bind(params);
    // `getAsObject` would look up the column names again for each row.
    const columns = statement.getColumnNames();
    while (statement.step()) {
      const row: Record<string, SqlValue> = {};
      const values = statement.get();
      for (const [index, column] of columns.entries()) row[column] = values[index] ?? null;
      results.push(read(row));
    }
    return results;
  } finally {
    statement.free();
  }
}

/** A column that holds text. */
export function textOf(row: Row, column: string): string {
  return String(row[column] ?? "");
}

/** A column that holds a number. */
export function numberOf(row: Row, column: string): number {
  return Number(row[column] ?? 0);
}
