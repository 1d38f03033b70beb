/** Reads the commit that a job has checked out, before any step runs. */
import type { CheckedOut } from "../core/run-commit.ts";
import { discoverRepository, openRepository, runGit } from "../platform/git.ts";
import { headCommit } from "../platform/git-head.ts";

/**
 * The commit at HEAD of the repository that contains `root`, with its parents. The parents are empty if git refuses the
 * repository, for example because another user owns it. Undefined without a repository or a commit. Never rejects.
 */
export async function checkedOutIn(root: string): Promise<CheckedOut | undefined> {
  const discovery = discoverRepository(root);
  if (discovery.kind !== "found") return undefined;
  const isOpen = (await openRepository(root)).kind === "open";
  const commit = headCommit(discovery.repository) ?? (isOpen ? await gitOutput(["rev-parse", "--verify", "HEAD"], root) : undefined);
  if (commit === undefined) return undefined;
  // A shallow clone hides parents from `rev-parse`, not from the commit itself.
  const text = isOpen ? ((await gitOutput(["cat-file", "commit", commit], root)) ?? "") : "";
  const header = text.split("\n\n", 1)[0] ?? "";
  return { commit, parents: [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = ""]) => id) };
}

async function gitOutput(args: readonly string[], directory: string): Promise<string | undefined> {
  const ran = await runGit(args, directory);
  return ran.ok && ran.value.code === 0 ? ran.value.stdout.toString().trim() : undefined;
}
