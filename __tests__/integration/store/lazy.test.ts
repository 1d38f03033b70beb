import path from "node:path";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

test("keeps SQLite in its own chunk, which opening state does not load", async () => {
  const root = path.resolve(import.meta.dirname, "../../..");
  const bundle = await rolldown({ cwd: root, input: "src/store/open-store.ts", platform: "node", tsconfig: false });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const chunks = new Map(output.flatMap((item) => (item.type === "chunk" ? [[item.fileName, item] as const] : [])));
  const loaded = new Set([output[0].fileName]);
  for (const name of loaded) for (const imported of chunks.get(name)?.imports ?? []) loaded.add(imported);
  const withSqlite = [...chunks.values()].filter((chunk) => chunk.moduleIds.some((id) => id.includes("sql.js")));
  expect(withSqlite).toHaveLength(1);
  expect(withSqlite.filter((chunk) => loaded.has(chunk.fileName))).toEqual([]);
});
