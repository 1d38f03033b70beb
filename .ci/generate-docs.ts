/** Generates docs/diagnostics.md from the table of codes, and docs/manifest.md from the schemas' descriptions. */

import { type DiagnosticCode, diagnosticCodes } from "../src/core/diagnostic.ts";
import { AdapterSettingsSchema } from "../src/manifest/schema/adapters.ts";
import { CircuitBreakerSchema, JsonSchemaContractSchema, TestSuiteContractSchema } from "../src/manifest/schema/contracts.ts";
import { BudgetSchema, ResourcesSchema } from "../src/manifest/schema/limits.ts";
import {
  ArtifactSchema,
  DefaultsSchema,
  HandoverSchema,
  InputSchema,
  ManifestSchema,
  PermissionsSchema,
  PersonaSchema,
  PipelineReferenceSchema,
  PipelineSchema,
  StateSettingsSchema,
  StepSchema,
} from "../src/manifest/schema/manifest.ts";
import { StepExpectationSchema, TestFileSchema } from "../src/manifest/schema/test-file.ts";
import { forms } from "../src/manifest/validate/schema-wording.ts";

/** The schema keywords that these pages use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Section {
  readonly title: string;
  readonly schema: object;
  readonly text?: string;
}

/** In page order. Keys link to the section of their schema. */
const sections: readonly Section[] = [
  {
    title: "Manifest",
    schema: ManifestSchema,
    text: "Exactly one of `pipeline`, `steps` and `pipelines` is required. `name` and `version` belong to bare `steps`.",
  },
  { title: "Pipeline", schema: PipelineSchema, text: "The value of `pipeline:` in the manifest, or in a file that `pipelines:` names." },
  {
    title: "Pipeline reference",
    schema: PipelineReferenceSchema,
    text: "A value in `pipelines:`. `wave run NAME` runs the active version, `wave run NAME@VERSION` any version.",
  },
  { title: "Budget", schema: BudgetSchema },
  { title: "Step", schema: StepSchema },
  {
    title: "Input",
    schema: InputSchema,
    text: "A bare name refers to the nearest upstream step that produces the artifact and does not add a dependency; `from` does.",
  },
  {
    title: "Artifact",
    schema: ArtifactSchema,
    text: "Wave looks for it at `path`, or, without `path`, at `$WAVE_OUTPUT_DIR/NAME` and then at the only `NAME.*` there. The final message becomes the artifact with `source: message`, or if the artifact is the only one of a step that an agent executes; the prompt then requests it. Reports show `from the final message`. A missing artifact fails the step unless it is `optional`.",
  },
  { title: "Handover", schema: HandoverSchema, text: "Set either `contract` or `contracts`." },
  { title: "Contract json_schema", schema: JsonSchemaContractSchema },
  { title: "Contract test_suite", schema: TestSuiteContractSchema },
  { title: "Circuit breaker", schema: CircuitBreakerSchema },
  {
    title: "Persona",
    schema: PersonaSchema,
    text: "Defined in `personas:`, or in a file: `.wave/personas/NAME.yaml`, or `NAME.md` with the system prompt as its body. Set either `prompt` or `system_prompt`. Definitions with the same name are merged by key, in the order built-in, `.wave/personas/`, manifest, overlay. `allow` and `secrets` replace the earlier list; `deny` rules are added. `wave config --origins` shows where each value comes from.",
  },
  {
    title: "Permissions",
    schema: PermissionsSchema,
    text: "An access that either of them denies is denied.",
  },
  { title: "Resources", schema: ResourcesSchema, text: "The step's values take precedence over its persona's, and those over `defaults`." },
  { title: "Adapter settings", schema: AdapterSettingsSchema },
  { title: "Defaults", schema: DefaultsSchema },
  { title: "State settings", schema: StateSettingsSchema },
  {
    title: "Test",
    schema: TestFileSchema,
    text: "Written in `.wave/tests/NAME.yaml`. Variables are not substituted in test files. See [Testing](testing.md).",
  },
  { title: "Test step", schema: StepExpectationSchema },
];

export function manifestPage(): string {
  const head = [
    "# The manifest",
    "",
    "This page lists the keys of manifests, personas and tests. It is generated from the schemas that the validator uses. Keys that are not listed here are errors.",
    "",
    "- Durations are written `90s`, `10m` or `1h30m`; sizes `512MB` or `2GB` (decimal), or `1GiB` (binary).",
    "- Paths are relative to the manifest's directory and must stay inside it.",
    "- `${VAR}`, `${VAR:-default}` and `${VAR:?message}` in values are substituted when the file is read. `$${` writes a literal `${`.",
    "- `{{ name }}` in tasks is filled at run time. `{{{{` writes a literal `{{`.",
    "- Values of `env` keep their text: `1.10` stays `1.10`.",
    "",
    ...["Overlays", ...sections.map(({ title }) => title)].map((title) => `- ${linkTo(title)}`),
    "",
    "## Overlays",
    "",
    "`-f a.yaml -f b.yaml` merges manifests in that order. `--env staging` adds `wave.staging.yaml` last.",
    "",
    "- Maps are merged by key.",
    "- Steps are merged by their `id`. New steps are appended in the order of the overlay.",
    "- Every other list replaces the earlier one. If that drops a `deny` rule of a step, Wave warns (W406).",
    "- `null` removes a key.",
    "- `deny` rules of [personas](#persona) are added.",
  ];
  return `${[...head, ...sections.flatMap(sectionLines)].join("\n")}\n`;
}

export function diagnosticsPage(): string {
  const codes = Object.keys(diagnosticCodes) as DiagnosticCode[];
  const groups = [
    ["W1", "Syntax"],
    ["W2", "Schema"],
    ["W3", "References"],
    ["W4", "Graph"],
  ] as const;
  const head = [
    "# Diagnostics",
    "",
    "This page lists the codes of all diagnostics. It is generated from the code. `wave validate` prints diagnostics. An error stops `plan` and `run` before any step starts.",
  ];
  const tables = groups.flatMap(([prefix, title]) => [
    "",
    `## ${title}`,
    "",
    "| code | meaning |",
    "|---|---|",
    ...codes.filter((code) => code.startsWith(prefix)).map((code) => `| ${code} | ${cell(diagnosticCodes[code])} |`),
  ]);
  return `${[...head, ...tables].join("\n")}\n`;
}

function sectionLines({ title, schema, text }: Section): string[] {
  const plain = plainOf(schema);
  const map = plain.anyOf?.find((branch) => branch.properties !== undefined) ?? plain;
  const short = plain.anyOf?.find((branch) => branch.type === "string");
  const lines = ["", `## ${title}`, ""];
  if (plain.description !== undefined) lines.push(plain.description + (text === undefined ? "" : ` ${text}`), "");
  else if (text !== undefined) lines.push(text, "");
  if (short !== undefined) lines.push(`Written as a ${typeOf(short)}, or as a map:`, "");
  lines.push("| key | type | meaning |", "|---|---|---|");
  for (const [key, member] of Object.entries(map.properties ?? {})) {
    const required = map.required?.includes(key) === true ? " (required)" : "";
    lines.push(`| \`${key}\`${required} | ${cell(typeOf(member))} | ${cell(member.description ?? "")} |`);
  }
  return lines;
}

/** The accepted values in a few words. Maps that have a section become links. */
function typeOf(schema: Schema): string {
  const named = sectionOf(schema);
  if (named !== undefined) return linkTo(named);
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === "array") return `list: ${typeOf(schema.items ?? {})}`;
  const [member] = Object.values(schema.patternProperties ?? {});
  if (member !== undefined) return `map: name → ${typeOf(member)}`;
  if (schema.properties !== undefined) return mapOf(schema.properties);
  return scalarOf(schema);
}

function mapOf(properties: Readonly<Record<string, Schema>>): string {
  const keys = `map: ${Object.entries(properties)
    .map(([key, { enum: values }]) => (values?.length === 1 ? `\`${key}: ${values[0]}\`` : `\`${key}\``))
    .join(", ")}`;
  const [section, ...others] = new Set(Object.values(properties).map(sectionOf));
  return section === undefined || others.length > 0 ? keys : `${keys} → ${linkTo(section)}`;
}

function scalarOf({ type, pattern, minimum, maximum }: Schema): string {
  const form = pattern === undefined ? undefined : forms[pattern]?.split(/:|,? such as | that starts/, 1)[0]?.replace(/^(?:an?|the) /, "");
  const bounds = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? ""}–${maximum ?? ""}`;
  switch (type) {
    case "boolean":
      return "`true`, `false`";
    case "integer":
      return `whole number${bounds}`;
    case "number":
      return `number${bounds}`;
    default:
      return form ?? "text";
  }
}

function sectionOf(schema: Schema): string | undefined {
  const text = shapeOf(schema);
  return sections.find((section) => shapeOf(plainOf(section.schema)) === text)?.title;
}

/** The schema without its description, for comparison. */
function shapeOf(schema: Schema): string {
  return JSON.stringify({ ...schema, description: undefined });
}

function plainOf(schema: object): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema;
}

function linkTo(title: string): string {
  return `[${title}](#${title.toLowerCase().replaceAll(" ", "-")})`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
