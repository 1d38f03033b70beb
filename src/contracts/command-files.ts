/** Files that a contract's command names. Pure. */

import type { TestSuiteContract } from "../core/pipeline.ts";
import { normalizePath, staysInside } from "../core/project-path.ts";
import { pathPattern } from "../text/glob.ts";

/**
 * Words of the command that could be paths of the project and that no glob of `protect` matches, each once. A shell command is split at blanks and at
 * the shell's own characters; paths that a program opens by itself, or that are relative to another directory, are not found.
 */
export function unprotectedArgs({ command, protect }: Pick<TestSuiteContract, "command" | "protect">): readonly string[] {
  const words =
    typeof command === "string" ? command.split(/[\s;&|<>(){}`'"$=]+/) : command.flatMap((word) => word.split(/[\s;&|<>(){}`'"$=]+/));
  const patterns = protect.map(pathPattern);
  const paths = words
    .filter((word) => word !== "" && !word.startsWith("-") && !word.startsWith("/") && staysInside(word))
    .map(normalizePath);
  return [...new Set(paths)].filter((file) => file !== "." && !patterns.some((matches) => matches(file)));
}
