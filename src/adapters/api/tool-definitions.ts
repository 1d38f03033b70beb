/** Tool definitions that are sent to a model API. The arguments of a call are not validated before `call`. */
import type { ApiTools, ToolAnswer } from "./tools.ts";

export type ToolText = Readonly<Record<string, unknown>>;

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly properties: Readonly<Record<string, { readonly type: "string" | "integer"; readonly description: string }>>;
  readonly optional: readonly string[];
  call(args: ToolText): Promise<ToolAnswer>;
}

const text = (description: string) => ({ type: "string", description }) as const;
const whole = (description: string) => ({ type: "integer", description }) as const;

const file = text("Path relative to the project root, or an absolute path from the task.");
const glob = text("Glob for paths in the project, for example `src/**/*.ts`. `**` matches all files.");

export function toolDefinitions(tools: ApiTools): readonly ToolDefinition[] {
  return [
    {
      name: "list_files",
      description: "Lists files in the project.",
      properties: { glob },
      optional: [],
      call: (args) => tools.list(textIn(args, "glob")),
    },
    {
      name: "read_file",
      description: "Reads a text file or a range of its lines.",
      optional: ["from", "lines"],
      properties: {
        path: file,
        from: whole("First line to read, starting at 1. Defaults to 1."),
        lines: whole("Number of lines to read. Defaults to 2000."),
      },
      call: (args) => tools.read(textIn(args, "path"), numberIn(args, "from", 1), numberIn(args, "lines", 2000)),
    },
    {
      name: "search_files",
      description: "Finds lines that contain a text in the project's files.",
      optional: ["glob"],
      properties: { text: text("Text to find. Matched literally and case-sensitively."), glob },
      call: (args) => tools.search(textIn(args, "text"), textIn(args, "glob") || "**"),
    },
    {
      name: "write_file",
      description: "Writes a file. Overwrites an existing one.",
      optional: [],
      properties: { path: file, content: text("Complete new contents of the file.") },
      call: (args) => tools.write(textIn(args, "path"), textIn(args, "content")),
    },
    {
      name: "edit_file",
      description: "Replaces a text in a file. The text must occur exactly once.",
      optional: [],
      properties: { path: file, before: text("Text to replace."), after: text("Replacement text.") },
      call: (args) => tools.edit(textIn(args, "path"), textIn(args, "before"), textIn(args, "after")),
    },
  ];
}

function textIn(args: ToolText, name: string): string {
  const value = args[name];
  return typeof value === "string" ? value : "";
}

function numberIn(args: ToolText, name: string, otherwise: number): number {
  const value = args[name];
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : otherwise;
}
