/** Reads the run's input text from `--input` or `--input-file`. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import type { CommandContext, OptionDefinition } from "./define-command.ts";

export const inputOptions: readonly OptionDefinition[] = [
  { flags: "--input <text>", description: "the run's input, `{{ input }}` in tasks" },
  { flags: "--input-file <path>", description: "read the run's input from a file, or from stdin if the path is `-`" },
];

/** Fails with `usage` if both options are given, and with `file-unreadable`. */
export async function readInput({ io, text }: CommandContext): Promise<Result<string | undefined>> {
  const [input, file] = [text("input"), text("inputFile")];
  if (input !== undefined && file !== undefined) return err({ reason: "usage", message: "--input and --input-file cannot be combined" });
  if (file === undefined) return ok(input);
  if (file === "-") return ok(await io.readStdin());
  try {
    return ok(await readFile(path.resolve(io.cwd, file), "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return err({ reason: "file-unreadable", path: file, code: code ?? "EIO", detail: message });
  }
}
