/** Personas of one name are merged: built-in, file, manifest. */
import { describe, expect, test } from "vitest";
import { pipelineOf, problemsOf, stepOf, validateFiles } from "../../../rig/validated.ts";

const steps = (persona: string) => `steps: [{ id: a, persona: ${persona}, task: x }]\n`;

async function read(manifest: string, files: Readonly<Record<string, string>> = {}) {
  const { persona, permissions } = stepOf(await pipelineOf(manifest, files), "a");
  const layer = permissions.layers.find(({ source }) => source === "persona");
  const texts = (kind: "allow" | "deny") => (layer?.[kind] ?? []).map(({ text }) => text);
  return {
    prompt: persona.systemPrompt,
    description: persona.description,
    model: persona.model,
    allow: texts("allow"),
    deny: texts("deny"),
    dropped: layer?.dropped,
  };
}

const builtIn = {
  prompt: "You navigate.",
  description: "Finds the way",
  model: undefined,
  allow: ["file_read:**"],
  deny: ["file_write:**"],
  dropped: undefined,
};

describe("a persona of a built-in name", () => {
  test("keeps prompt, description and rules when only the model is written", async () => {
    expect(await read(`personas: { navigator: { model: m } }\n${steps("navigator")}`)).toEqual({ ...builtIn, model: "m" });
  });

  test("takes the prompt that is written and keeps the rest", async () => {
    const prompted = await read(`personas: { navigator: { prompt: p.md } }\n${steps("navigator")}`, { "p.md": "Mine." });
    expect(prompted).toEqual({ ...builtIn, prompt: "Mine." });
  });

  test("replaces `allow` and adds to `deny`", async () => {
    const permissions = "permissions: { allow: ['file_read:src/**'], deny: ['network_access:*', 'file_write:**'] }";
    expect(await read(`personas: { navigator: { ${permissions} } }\n${steps("navigator")}`)).toEqual({
      ...builtIn,
      allow: ["file_read:src/**"],
      deny: ["network_access:*", "file_write:**"],
    });
  });

  test("drops inherited rules with `replace: true`, and remembers which", async () => {
    const permissions = "permissions: { replace: true, allow: ['file_write:docs/**'] }";
    expect(await read(`personas: { navigator: { ${permissions} } }\n${steps("navigator")}`)).toEqual({
      ...builtIn,
      allow: ["file_write:docs/**"],
      deny: [],
      dropped: ["file_write:**"],
    });
  });

  test("merges the file of its name below the manifest's definition", async () => {
    const files = { ".wave/personas/navigator.yaml": "model: from-file\ndescription: From a file\n" };
    expect(await read(`personas: { navigator: { model: from-manifest } }\n${steps("navigator")}`, files)).toEqual({
      ...builtIn,
      model: "from-manifest",
      description: "From a file",
    });
  });

  test("merges a file that the manifest names", async () => {
    const files = { "personas/n.yaml": "model: named\n" };
    expect(await read(`personas: { navigator: personas/n.yaml }\n${steps("navigator")}`, files)).toEqual({ ...builtIn, model: "named" });
  });
});

describe("`extends`", () => {
  test("starts from another persona under a new name", async () => {
    expect(await read(`personas: { navigator-v2: { extends: navigator, model: m2 } }\n${steps("navigator-v2")}`)).toEqual({
      ...builtIn,
      model: "m2",
    });
  });

  test("follows a chain through definitions of the manifest", async () => {
    const personas = "personas: { b: { extends: navigator, model: mb }, c: { extends: b, description: C } }\n";
    expect(await read(`${personas}${steps("c")}`)).toEqual({ ...builtIn, model: "mb", description: "C" });
  });

  test("takes the place of the built-in persona of the same name", async () => {
    expect((await read(`personas: { tester: { extends: navigator } }\n${steps("tester")}`)).prompt).toBe("You navigate.");
  });

  test("names an unknown persona", async () => {
    expect(await problemsOf(`personas: { x: { extends: navigater, system_prompt: p } }\n${steps("x")}`)).toEqual([
      "W301 1:27 `extends` refers to the unknown persona `navigater` (did you mean `navigator`?) [navigator]",
    ]);
  });

  test("names a cycle", async () => {
    const problems = await problemsOf(`personas: { x: { extends: y }, y: { extends: x } }\n${steps("x")}`);
    expect(problems[0]).toBe("W315 1:27 personas extend each other in a cycle: `y` → `x` → `y` (remove one `extends`)");
  });

  test("refuses a chain of more than ten", async () => {
    const chain = Array.from({ length: 12 }, (_, at) => `  p${at}: { extends: ${at === 11 ? "navigator" : `p${at + 1}`} }`).join("\n");
    const problems = await problemsOf(`personas:\n${chain}\n${steps("p0")}`);
    expect(problems.filter((line) => line.startsWith("W315")).length).toBeGreaterThan(0);
  });
});

test("lists each built-in persona once, merged with the project's definition", async () => {
  const { project } = await validateFiles({ "wave.yaml": `personas: { navigator: { model: m } }\n${steps("navigator")}` });
  expect(project?.personas.map(({ persona }) => persona.name)).toEqual(["navigator", "craftsman", "tester"]);
});
