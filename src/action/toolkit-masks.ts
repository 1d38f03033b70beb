/** What the thread of GitHub's clients prints, and what of it the runner has to read. */
import type { Io } from "../core/io.ts";

/** Of all that GitHub's clients print, only what the runner is to mask is printed. */
export function forwardMask({ stdout }: Pick<Io, "stdout">): (line: string) => void {
  return (line) => {
    if (line.startsWith("::add-mask::")) stdout.writeControl(`${line}\n`);
  };
}
