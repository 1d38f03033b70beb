/**
 * The tools of a model API: list, read, search, write and edit files through the workspace. They run no commands. Paths that
 * the step must not read or write are refused before any access.
 */
import path from "node:path";
import { describeDenial } from "../../core/denial.ts";
import type { Denial } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import { denyingRules, isAllowed } from "../../core/permissions.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Workspace, WorkspaceArea } from "../../core/ports.ts";
import { ok, type Result } from "../../core/result.ts";
import { isGitName } from "../../text/path-bytes.ts";

/** The result of a call, as sent to the model. `denied` is set if permissions refused it. */
export interface ToolAnswer {
  readonly text: string;
  readonly denied?: Denial;
}

export interface ApiTools {
  list(glob: string): Promise<ToolAnswer>;
  read(file: string, from: number, lines: number): Promise<ToolAnswer>;
  search(text: string, glob: string): Promise<ToolAnswer>;
  write(file: string, content: string): Promise<ToolAnswer>;
  edit(file: string, before: string, after: string): Promise<ToolAnswer>;
}

/** Bytes read per file, characters per answer, files per list, lines per search. */
const limits = { file: 4_000_000, answer: 60_000, listed: 1000, matches: 200 } as const;

interface AreaFile {
  readonly area: Exclude<WorkspaceArea, "temp">;
  /** Relative to the area. */
  readonly file: string;
}

export function apiTools(step: Step, workspace: Workspace): ApiTools {
  const { permissions } = step;
  // `.git/config` may contain a token of the checkout.
  const mayRead = (file: string) => !file.split("/").some(isGitName) && isAllowed(permissions, "file_read", file);
  const listed = async (glob: string) => {
    const entries = await workspace.list("root", glob);
    if (!entries.ok) return entries;
    return ok(entries.value.filter(({ kind, path: file }) => kind === "file" && mayRead(file)).map((entry) => entry.path));
  };
  const textOf = async (file: string): Promise<Result<string> | ToolAnswer> => {
    const target = areaFileOf(workspace, file);
    if (target.area === "root" && !mayRead(target.file))
      return denied("reading", file, denyingRules(permissions, "file_read", target.file));
    const bytes = await workspace.read(target.area, target.file, limits.file);
    return bytes.ok ? ok(Buffer.from(bytes.value).toString()) : bytes;
  };
  const put = async (file: string, content: string): Promise<ToolAnswer> => {
    const { area, file: name } = areaFileOf(workspace, file);
    if (area === "inputs") return denied("writing", `${file}, a read-only input`);
    if (area === "root" && !isAllowed(permissions, "file_write", name))
      return denied("writing", file, denyingRules(permissions, "file_write", name));
    const written = await workspace.write(area, new Map([[name, { mode: "100644", bytes: Buffer.from(content) }]]));
    return written.ok ? { text: `wrote ${Buffer.byteLength(content)} bytes to ${file}` } : errorAnswer(written.error);
  };
  return {
    async list(glob) {
      const files = await listed(glob);
      return files.ok ? { text: listText(files.value) } : errorAnswer(files.error);
    },
    async read(file, from, lines) {
      const text = await textOf(file);
      if (!("ok" in text)) return text;
      return text.ok
        ? {
            text: cut(
              text.value
                .split("\n")
                .slice(from - 1, from - 1 + lines)
                .join("\n"),
            ),
          }
        : errorAnswer(text.error);
    },
    async search(text, glob) {
      const files = await listed(glob);
      return files.ok ? searchIn(workspace, files.value, text) : errorAnswer(files.error);
    },
    write: put,
    async edit(file, before, after) {
      const text = await textOf(file);
      if (!("ok" in text)) return text;
      if (!text.ok) return errorAnswer(text.error);
      const count = before === "" ? 0 : text.value.split(before).length - 1;
      if (count !== 1) return { text: `error: the text to replace occurs ${count} times in ${file}; it must occur exactly once` };
      return put(
        file,
        text.value.replace(before, () => after),
      );
    },
  };
}

/** Resolves absolute paths to the areas named in the prompt, and all others to the project. */
function areaFileOf({ paths }: Workspace, file: string): AreaFile {
  const areas = [
    ["inputs", paths.inputs],
    ["output", paths.output],
    ["root", paths.root],
  ] as const;
  for (const [area, directory] of areas)
    if (file.startsWith(`${directory}/`)) return { area, file: path.posix.normalize(file.slice(directory.length + 1)) };
  return { area: "root", file: path.posix.normalize(file) };
}

async function searchIn(workspace: Workspace, files: readonly string[], text: string): Promise<ToolAnswer> {
  const matches: string[] = [];
  for (const file of files) {
    const bytes = await workspace.read("root", file, limits.file);
    if (!bytes.ok || bytes.value.includes(0)) continue;
    for (const [index, line] of Buffer.from(bytes.value).toString().split("\n").entries()) {
      if (line.includes(text)) matches.push(`${file}:${index + 1}: ${line.trim().slice(0, 300)}`);
      if (matches.length >= limits.matches)
        return { text: cut(`${matches.join("\n")}\n(more matches omitted; search for a longer text or in fewer files)`) };
    }
  }
  return { text: matches.length === 0 ? "no matches" : cut(matches.join("\n")) };
}

function listText(files: readonly string[]): string {
  if (files.length === 0) return "no files match";
  const more = files.length > limits.listed ? `\n(${files.length - limits.listed} more files omitted; use a narrower glob)` : "";
  return cut(files.slice(0, limits.listed).join("\n") + more);
}

function cut(text: string): string {
  return text.length <= limits.answer ? text : `${text.slice(0, limits.answer)}\n(truncated after ${limits.answer} characters)`;
}

function denied(action: "reading" | "writing", file: string, rules: readonly string[] = []): ToolAnswer {
  const denial = { access: `${action} ${file}`, rules };
  return { text: `${describeDenial(denial)}. The step's permissions do not allow this.`, denied: denial };
}

function errorAnswer(failure: Parameters<typeof describeFailure>[0]): ToolAnswer {
  const { title, detail } = describeFailure(failure);
  return { text: `error: ${[title, ...detail].join("; ")}` };
}
