/** What the benchmarks have in common: words of the command line, the graph of steps, time, medians and tables. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const cli = path.join(repository, "dist/cli.js");
/** For a first line of output. */
export const here = `${process.platform}-${process.arch}, Node ${process.versions.node}`;

/** A count from the command line. Ends the process with the usage where it is none. */
export function countFrom(word, otherwise, usage) {
  const count = Number(word ?? otherwise);
  if (Number.isInteger(count) && count >= 1) return count;
  console.error(`usage: ${usage}`);
  process.exit(2);
}

/** Steps in layers of ten, each of which comes after two of the layer before. */
export function layered(count) {
  const width = 10;
  return Array.from({ length: count }, (_, index) => {
    const [layer, at] = [Math.floor(index / width), index % width];
    return { id: `s${layer}-${at}`, after: layer === 0 ? [] : [at, (at + 1) % width].map((place) => `s${layer - 1}-${place}`) };
  });
}

/** A manifest in which each of these steps runs `true` in place. */
export function manifestOf(steps) {
  const lines = steps.map(
    ({ id, after }) => `    - { id: ${id}, persona: worker, workspace: shared, sandbox: off, dependencies: [${after.join(", ")}] }\n`,
  );
  return `personas: { worker: { adapter: command, command: ["true"] } }\npipeline:\n  name: bench\n  steps:\n${lines.join("")}`;
}

/** Milliseconds from before a command starts until it is gone. Throws when it fails. */
export function time([program, ...words], { cwd, env = {} } = {}) {
  const began = process.hrtime.bigint();
  const child = spawnSync(program, words, {
    ...{ cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", maxBuffer: 2 ** 28 },
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (child.status === 0) return ms;
  throw new Error(`${program} ${words.join(" ")} ended with ${child.status ?? child.error?.message}\n${child.stdout}${child.stderr}`);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints rows of cells in columns. */
export function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  for (const cells of rows)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}
