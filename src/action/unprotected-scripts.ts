/** Scripts of a contract that the pull request of a fork has changed: what judges the pull request is then its own. */
import { createHash } from "node:crypto";
import { lstat, readFile, readlink } from "node:fs/promises";
import { unprotectedArgs } from "../contracts/command-files.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { TrustedFiles } from "../core/ports.ts";
import { tryIo } from "../platform/files.ts";
import { fsPath } from "../text/path-bytes.ts";

/**
 * A sentence for each contract whose command names a file that differs between the trusted source and the checkout, and that `protect` does not
 * restore. Files are compared by git's ids. Empty if the trusted source cannot be read: then nothing runs.
 */
export async function unprotectedScripts(pipeline: Pipeline, trusted: TrustedFiles, root: string): Promise<readonly string[]> {
  const args = new Set(contractsOf(pipeline).flatMap(({ contract }) => unprotectedArgs(contract)));
  const listed = await trusted.list((file) => args.has(file));
  if (!listed.ok) return [];
  const ids = new Map(listed.value.map(({ path, id }) => [path, id]));
  const changed = new Map<string, boolean>();
  for (const word of args) changed.set(word, (await idOf(root, word, ids.get(word)?.length)) !== ids.get(word));
  return contractsOf(pipeline).flatMap(({ step, contract }) => {
    const files = unprotectedArgs(contract).filter((word) => changed.get(word) === true);
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

/** Git's id of a file of the checkout, of as many digits as the other side has. Undefined if it is not a file. */
async function idOf(root: string, file: string, digits = 40): Promise<string | undefined> {
  const place = fsPath(root, file);
  const read = await tryIo(async () => {
    const stats = await lstat(place);
    if (stats.isSymbolicLink()) return Buffer.from(await readlink(place));
    return stats.isFile() ? readFile(place) : undefined;
  });
  if (!read.ok || read.value === undefined) return undefined;
  const hash = createHash(digits === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${read.value.length}\0`).update(read.value).digest("hex");
}
