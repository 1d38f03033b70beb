/** Generates docs/action.md from action.yml. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string; readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
}

const intro = `# The Action: inputs and outputs

<!-- Generated from action.yml by \`npm run generate\`. -->

This page lists the inputs and outputs of the Action. [Wave in a workflow](workflows.md) describes re-runs, forks and comments; the [README](../README.md) has complete workflows.

\`\`\`yaml
- uses: actions/checkout@v5
- uses: wave/run@v1
\`\`\`
`;

/** The page. */
export async function actionPage(): Promise<string> {
  const file = path.resolve(path.dirname(process.argv[1] ?? ""), "../action.yml");
  const { inputs, outputs } = parse(await readFile(file, "utf8")) as ActionFile;
  const given = Object.entries(inputs).map(
    ([name, { description, default: value }]) => `| \`${name}\` | ${cell(description)} | ${valueCell(value)} |`,
  );
  const made = Object.entries(outputs).map(([name, { description }]) => `| \`${name}\` | ${cell(description)} |`);
  return [
    intro,
    "## Inputs\n",
    "| input | description | default |",
    "| --- | --- | --- |",
    ...given,
    "\n## Outputs\n",
    "| output | description |",
    "| --- | --- |",
    ...made,
    "",
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function valueCell(value: string | undefined): string {
  return value === undefined || value === "" ? "" : `\`${value}\``;
}
