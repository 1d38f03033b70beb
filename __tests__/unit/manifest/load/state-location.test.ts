/** What is found in a hurry is what the whole manifest says. */
import { expect, test } from "vitest";
import type { FileSource } from "../../../../src/core/ports.ts";
import { loadProject } from "../../../../src/manifest/load/load-project.ts";
import { pinnedSource } from "../../../../src/manifest/load/pinned-source.ts";
import { findStateLocation, stateLocationIn } from "../../../../src/manifest/load/state-location.ts";

type Files = Readonly<Record<string, string | Buffer>>;

function sourceOf(files: Files, onRead: (file: string) => void = () => undefined): FileSource {
  const contents = new Map(Object.entries(files));
  return pinnedSource(
    async (file) => {
      onRead(file);
      return Buffer.from(contents.get(file) ?? "");
    },
    [...contents.keys()],
  );
}

const steps = "steps: [{ id: a, persona: p }]\n";

test.each<[string, string | undefined, Files, { files?: string[]; environment?: string; env?: Record<string, string> }?]>([
  ["nothing is said", undefined, { "wave.yaml": steps }],
  ["said plainly", "here", { "wave.yaml": `state: { location: here }\n${steps}` }],
  ["said with more than is needed", "var/wave", { "wave.yaml": `state: { location: ./var/wave/ }\n${steps}` }],
  ["the key is quoted", "here", { "wave.yaml": `"state": { 'location': "here" }\n${steps}` }],
  ["the key is escaped", "here", { "wave.yaml": `"\\x73t\\u0061te": { location: here }\n${steps}` }],
  ["the location is substituted", "there", { "wave.yaml": `state: { location: "\${PLACE}" }\n${steps}` }, { env: { PLACE: "there" } }],
  ["the key is an alias, which manifests do not have", undefined, { "wave.yaml": `name: &key state\n*key : { location: here }\n${steps}` }],
  ["merged in", undefined, { "wave.yaml": `x-base: &base { state: { location: here } }\n<<: *base\n${steps}` }],
  ["in JSON", "here", { "wave.yaml": '{"st\\u0061te": {"location": "here"}, "steps": []}' }],
  [
    "said by a second file",
    "over",
    { "wave.yaml": steps, "more.yaml": "state: { location: over }\n" },
    { files: ["wave.yaml", "more.yaml"] },
  ],
  ["said by an overlay", "over", { "wave.yaml": steps, "wave.prod.yaml": "state: { location: over }\n" }, { environment: "prod" }],
  ["the word stands elsewhere", undefined, { "wave.yaml": `name: statements\n${steps}` }],
  ["the manifest does not hold otherwise", "here", { "wave.yaml": "state: { location: here }\nbogus: 1\nsteps: nothing\n" }],
  ["the manifest is no YAML", undefined, { "wave.yaml": "state: { location: here\n  : [" }],
  ["the manifest is no text", undefined, { "wave.yaml": Buffer.from([0, 1, 2, 255]) }],
  ["it is no text itself", undefined, { "wave.yaml": `state: { location: [1] }\n${steps}` }],
  ["there is no manifest", undefined, {}],
])("%s", async (_name, location, contents, { files = ["wave.yaml"], env = {}, ...overlay } = {}) => {
  const request = { files, env, ...overlay, source: sourceOf(contents) };
  const whole = stateLocationIn((await loadProject(request)).manifest);
  expect({ found: await findStateLocation(request), whole }).toEqual({ found: location, whole: location });
});

test("a manifest without a location is read, but not the files that it names", async () => {
  const read: string[] = [];
  const manifest = `pipelines: { one: { from: one.yaml } }\n`;
  const source = sourceOf({ "wave.yaml": manifest, "one.yaml": "state: { location: not-here }\n" }, (file) => read.push(file));
  expect(await findStateLocation({ files: ["wave.yaml"], env: {}, source })).toBeUndefined();
  expect(read).toEqual(["wave.yaml"]);
});
