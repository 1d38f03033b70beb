/** The tools of a model on a bare API, as it is told of them. Nobody has checked the words of a call before they get here. */
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

const file = text("A path: of the project, relative to its root, or absolute as the task names it.");
const glob = text("A glob over paths of the project: `src/**/*.ts`; `**` is everything.");

export function toolDefinitions(tools: ApiTools): readonly ToolDefinition[] {
  return [
    {
      name: "list_files",
      description: "Lists files of the project.",
      properties: { glob },
      optional: [],
      call: (args) => tools.list(textIn(args, "glob")),
    },
    {
      name: "read_file",
      description: "Reads a text file, or some of its lines.",
      optional: ["from", "lines"],
      properties: { path: file, from: whole("The first line, from 1."), lines: whole("How many lines; 2000 by default.") },
      call: (args) => tools.read(textIn(args, "path"), numberIn(args, "from", 1), numberIn(args, "lines", 2000)),
    },
    {
      name: "search_files",
      description: "Finds lines that hold a text, in files of the project.",
      optional: ["glob"],
      properties: { text: text("The text, word for word."), glob },
      call: (args) => tools.search(textIn(args, "text"), textIn(args, "glob") || "**"),
    },
    {
      name: "write_file",
      description: "Writes a file, over what is there.",
      optional: [],
      properties: { path: file, content: text("All of it.") },
      call: (args) => tools.write(textIn(args, "path"), textIn(args, "content")),
    },
    {
      name: "edit_file",
      description: "Replaces a text in a file by another. It has to stand there exactly once.",
      optional: [],
      properties: { path: file, before: text("What stands there."), after: text("What is to stand there.") },
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
