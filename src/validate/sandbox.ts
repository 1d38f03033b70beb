/** Reads `sandbox` of a manifest: `off`, or what it shows besides. */
import type { DocumentNode } from "../model/document.ts";
import { etcRefusal } from "../model/etc-places.ts";
import type { Step } from "../model/pipeline.ts";
import type { Findings } from "./findings.ts";
import { asText, member, texts } from "./read-node.ts";

/** What steps inherit. A place that holds secrets, or is not in `/etc`, is an error. */
export function readSandbox(node: DocumentNode | undefined, findings: Findings): Required<Pick<Step, "sandbox" | "sandboxShow">> {
  const places = texts(member(node, "show"));
  for (const { text, origin } of places) {
    const refusal = etcRefusal(text);
    if (refusal === "secret")
      findings.error("W205", `the sandbox does not show \`${text}\`, because secrets are kept there`, origin, {
        hint: "name single files or directories that hold none",
      });
    if (refusal === "outside")
      findings.error("W205", `\`${text}\` is not a path in \`/etc\``, origin, {
        hint: "write an absolute path such as `/etc/mysql/my.cnf`",
      });
  }
  return { sandbox: asText(node) === "off" ? "off" : "on", sandboxShow: places.map(({ text }) => text) };
}
