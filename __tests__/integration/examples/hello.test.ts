/** The program of examples/hello on its own directory, under its real schema. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";

const example = path.resolve(import.meta.dirname, "../../../examples/hello");

test("counts its own files, and holds its contract", () => {
  const output = mkdtempSync(path.join(tmpdir(), "wave-hello-"));
  try {
    const env = { PATH: process.env.PATH, WAVE_OUTPUT_DIR: output };
    const { status, stdout } = spawnSync(process.execPath, ["scripts/count.mjs"], { cwd: example, input: "", env, encoding: "utf8" });
    const census = JSON.parse(readFileSync(path.join(output, "census.json"), "utf8"));
    const schema = JSON.parse(readFileSync(path.join(example, "contracts/census.schema.json"), "utf8"));
    expect(new Ajv2020({ strict: true }).validate(schema, census)).toBe(true);

    const linesOf = (file: string) => readFileSync(path.join(example, file), "utf8").split("\n").length - 1;
    const files = ["contracts/census.schema.json", "scripts/count.mjs", "wave.yaml"];
    const longest = Math.max(...files.map(linesOf));
    expect(census).toMatchObject({
      files: 3,
      lines: files.reduce((sum, file) => sum + linesOf(file), 0),
      longest: { path: "scripts/count.mjs", lines: longest },
    });
    expect(census.byType).toEqual({
      ".json": { files: 1, lines: linesOf("contracts/census.schema.json") },
      ".mjs": { files: 1, lines: linesOf("scripts/count.mjs") },
      ".yaml": { files: 1, lines: linesOf("wave.yaml") },
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${census.lines} lines in 3 files; the longest is scripts/count.mjs\n` });
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
});
