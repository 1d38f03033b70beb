/** Filters the output of the worker thread that runs GitHub's clients. */
import type { Io } from "../core/io.ts";

/** Prints only `::add-mask::` commands, which the runner must read. */
export function forwardMask({ stdout }: Pick<Io, "stdout">): (line: string) => void {
  return (line) => {
    if (line.startsWith("::add-mask::")) stdout.writeControl(`${line}\n`);
  };
}
