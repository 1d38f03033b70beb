/** Finds contract scripts that a fork's pull request changes: it would be checked by its own scripts. */
import { createHash } from "node:crypto";
import { lstat, readFile, readlink } from "node:fs/promises";
import { unprotectedArgs } from "../contracts/command-files.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { TrustedFiles } from "../core/ports.ts";
import { tryIo } from "../platform/files.ts";
import { fsPath } from "../text/path-bytes.ts";

/**
 * A sentence for each contract whose command names a file that differs between the trusted source and the checkout, unless
 * `protect` restores it. Compares git's object ids. Empty if the trusted source cannot be read; nothing runs then.
 */
export async function unprotectedScripts(pipeline: Pipeline, trusted: TrustedFiles, root: string): Promise<readonly string[]> {
  const args = new Set(contractsOf(pipeline).flatMap(({ contract }) => unprotectedArgs(contract)));
  const listed = await trusted.list((file) => args.has(file));
  if (!listed.ok) return [];
  const ids = new Map(listed.value.map(({ path, id }) => [path, id]));
  const changed = new Map<string, boolean>();
  for (const file of args) changed.set(file, (await idOf(root, file, ids.get(file)?.length)) !== ids.get(file));
  return contractsOf(pipeline).flatMap(({ step, contract }) => {
    const files = unprotectedArgs(contract).filter((file) => changed.get(file) === true);
    if (files.length === 0) return [];
    const named = files.map((file) => `\`${file}\``).join(", ");
    return [
      `The pull request changes ${named}, which contract \`${contract.name}\` of step \`${step}\` runs. List it under the contract's \`protect\` to run the version of the base instead`,
    ];
  });
}

function contractsOf({ steps }: Pipeline) {
  return steps.flatMap(({ id, contracts }) =>
    contracts.flatMap((contract) => (contract.type === "test_suite" ? [{ step: id, contract }] : [])),
  );
}

/** The git object id of a file in the checkout: SHA-256 if `digits` is 64, else SHA-1. Undefined if it is not a file. */
async function idOf(root: string, file: string, digits = 40): Promise<string | undefined> {
  const target = fsPath(root, file);
  const read = await tryIo(async () => {
    const stats = await lstat(target);
    if (stats.isSymbolicLink()) return Buffer.from(await readlink(target));
    return stats.isFile() ? readFile(target) : undefined;
  });
  if (!read.ok || read.value === undefined) return undefined;
  const hash = createHash(digits === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${read.value.length}\0`).update(read.value).digest("hex");
}
