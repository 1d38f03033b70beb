/** The start rules cover every event of GitHub's workflow schema, and the guide prints them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { starterOf, startRules } from "../../../src/action/start-rules.ts";
import { repository } from "../../rig/project.ts";

interface WorkflowSchema {
  readonly definitions: {
    readonly "on-mapping-strict": { readonly mapping: { readonly properties: Readonly<Record<string, string>> } };
  };
}

const schema = JSON.parse(
  readFileSync(path.join(repository, "node_modules/@actions/workflow-parser/dist/workflow-v1.0.min.json"), "utf8"),
) as WorkflowSchema;

describe("the table of start rules", () => {
  it("has a row for every event in GitHub's workflow schema", () => {
    const events = Object.keys(schema.definitions["on-mapping-strict"].mapping.properties);
    expect(events.length).toBeGreaterThan(35);
    expect(events.filter((event) => !Object.hasOwn(startRules, event))).toEqual([]);
  });

  it("lets no event start a job by the action `deleted`", () => {
    expect([...new Set(Object.keys(startRules).map((event) => starterOf(event, "deleted")))]).toEqual(["never"]);
  });

  it("has no rule for names that are not events", () => {
    expect(["", "constructor", "__proto__", "toString", "PUSH", "dynamic"].map((event) => starterOf(event, undefined))).toEqual(
      Array.from({ length: 6 }, () => undefined),
    );
  });

  it("does not confuse the names of actions with properties of `Object.prototype`", () => {
    expect(starterOf("issues", "constructor")).toBe("sender");
  });
});
