/** Finds project files in a contract's command. Pure. */

import type { TestSuiteContract } from "../core/pipeline.ts";
import { normalizePath, staysInside } from "../core/project-path.ts";
import { pathPattern } from "../text/glob.ts";

/**
 * Arguments of the command that could be project paths and that no glob in `protect` matches, without duplicates. A shell
 * command is split at spaces and shell metacharacters. Does not find files that the program opens by itself, or paths
 * relative to another directory.
 */
export function unprotectedArgs({ command, protect }: Pick<TestSuiteContract, "command" | "protect">): readonly string[] {
  const args =
    typeof command === "string" ? command.split(/[\s;&|<>(){}`'"$=]+/) : command.flatMap((arg) => arg.split(/[\s;&|<>(){}`'"$=]+/));
  const patterns = protect.map(pathPattern);
  const paths = args.filter((arg) => arg !== "" && !arg.startsWith("-") && !arg.startsWith("/") && staysInside(arg)).map(normalizePath);
  return [...new Set(paths)].filter((file) => file !== "." && !patterns.some((matches) => matches(file)));
}
