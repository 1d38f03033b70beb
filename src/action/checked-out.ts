/** Reads which commit the project of a job has checked out, before any step runs. */
import type { CheckedOut } from "../core/run-commit.ts";
import { discoverRepository, openRepository, runGit } from "../platform/git.ts";
import { headCommit } from "../platform/git-head.ts";

/**
 * The commit at HEAD of the repository around `root`, with its parents. A repository that git refuses, such as another user's, shows its commit only.
 * Undefined without a repository or a commit. Never rejects.
 */
export async function checkedOutIn(root: string): Promise<CheckedOut | undefined> {
  const discovery = discoverRepository(root);
  if (discovery.kind !== "found") return undefined;
  const isOpen = (await openRepository(root)).kind === "open";
  const commit = headCommit(discovery.repository) ?? (isOpen ? await answer(["rev-parse", "--verify", "HEAD"], root) : undefined);
  if (commit === undefined) return undefined;
  // A shallow clone hides parents from `rev-parse`, not from the commit itself.
  const text = isOpen ? ((await answer(["cat-file", "commit", commit], root)) ?? "") : "";
  const header = text.split("\n\n", 1)[0] ?? "";
  return { commit, parents: [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = ""]) => id) };
}

async function answer(args: readonly string[], directory: string): Promise<string | undefined> {
  const asked = await runGit(args, directory);
  return asked.ok && asked.value.code === 0 ? asked.value.stdout.toString().trim() : undefined;
}
