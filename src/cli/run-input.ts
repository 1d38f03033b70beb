/** The run's input text: `--input` or `--input-file`. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { type Invocation, type OptionDefinition, textOption } from "./define-command.ts";

export const inputOptions: readonly OptionDefinition[] = [
  { flags: "--input <text>", description: "the run's input, `{{ input }}` in tasks" },
  { flags: "--input-file <path>", description: "the run's input from a file, or `-` for standard input" },
];

/** Fails with `usage` when both are given, with `file-unreadable` when the file cannot be read. */
export async function readInput(invocation: Invocation): Promise<Result<string | undefined>> {
  const text = textOption(invocation, "input");
  const file = textOption(invocation, "inputFile");
  if (text !== undefined && file !== undefined) return err({ reason: "usage", message: "--input and --input-file exclude each other" });
  if (file === undefined) return ok(text);
  if (file === "-") return ok(await invocation.io.readStdin());
  try {
    return ok(await readFile(path.resolve(invocation.io.cwd, file), "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return err({ reason: "file-unreadable", path: file, code: code ?? "EIO", detail: message });
  }
}
