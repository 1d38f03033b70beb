/** Removes a directory with all that is in it, closed directories too: a mount that was cut off leaves some. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";

export function removeDirectory(directory: string): void {
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  try {
    remove();
  } catch {
    execFileSync("chmod", ["-R", "u+rwx", directory]);
    // Paths may be longer than a system call takes: `rm` goes down step by step.
    execFileSync("rm", ["-rf", "--", directory]);
  }
}
