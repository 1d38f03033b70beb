/**
 * Writes everything that is made from the code and committed: JSON Schemas for editors, the shapes that documents are checked against, and the
 * reference pages of the guide.
 *
 * `npm run generate`              writes what changed
 * `npm run generate -- --check`   writes nothing; names what is stale, and fails when anything is
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { dialects } from "../src/contracts/json-schema/dialect.ts";
import { actionPage } from "./action-docs.ts";
import { cliDocs } from "./cli-docs.ts";
import { eventsPage } from "./events-page.ts";
import { diagnosticsPage, manifestPage } from "./generate-docs.ts";
import { metaSchemaCode, metaSchemaTypes } from "./generate-meta-schemas.ts";
import { eventsSchema, manifestSchema, personaSchema, pipelineSchema, reviewSchema, testSchema } from "./generate-schemas.ts";
import { eventShapesCode, eventShapesTypes, shapesCode, shapesTypes } from "./generate-shapes.ts";
import { pricesPage } from "./prices-page.ts";
import { workflowsPage } from "./start-rules-table.ts";
import { wrapMarkdown } from "./wrap-markdown.ts";

interface Output {
  /** Relative to the tree's root. */
  readonly path: string;
  readonly content: () => string | Promise<string>;
}

const outputs: readonly Output[] = [
  { path: "schema/manifest.schema.json", content: manifestSchema },
  { path: "schema/pipeline.schema.json", content: pipelineSchema },
  { path: "schema/persona.schema.json", content: personaSchema },
  { path: "schema/review.schema.json", content: reviewSchema },
  { path: "schema/test.schema.json", content: testSchema },
  { path: "schema/events.schema.json", content: eventsSchema },
  { path: "src/manifest/validate/generated/manifest-shapes.js", content: shapesCode },
  { path: "src/manifest/validate/generated/manifest-shapes.d.ts", content: shapesTypes },
  ...dialects.flatMap((dialect) => [
    { path: `src/contracts/generated/${dialect}.js`, content: () => metaSchemaCode(dialect) },
    { path: `src/contracts/generated/${dialect}.d.ts`, content: metaSchemaTypes },
  ]),
  { path: "src/manifest/validate/generated/event-shapes.js", content: eventShapesCode },
  { path: "src/manifest/validate/generated/event-shapes.d.ts", content: eventShapesTypes },
  { path: "docs/diagnostics.md", content: diagnosticsPage },
  { path: "docs/manifest.md", content: manifestPage },
  { path: "docs/events.md", content: eventsPage },
  { path: "docs/action.md", content: actionPage },
  { path: "docs/cli.md", content: cliDocs },
  { path: "docs/prices.md", content: pricesPage },
  { path: "docs/workflows.md", content: workflowsPage },
];

const root = path.resolve(path.dirname(process.argv[1] ?? ""), "..");
const check = process.argv.includes("--check");
const stale: string[] = [];
for (const output of outputs) {
  const file = path.join(root, output.path);
  const text = await output.content();
  const content = output.path.endsWith(".md") ? wrapMarkdown(text) : text;
  if ((await readFile(file, "utf8").catch(() => undefined)) === content) continue;
  stale.push(output.path);
  if (check) continue;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}
for (const file of stale) console.log(check ? `stale: ${file}` : `wrote ${file}`);
if (check && stale.length > 0) {
  console.log("run `npm run generate`");
  process.exitCode = 1;
}
