/** Reads `sandbox` of a manifest: `off`, or what it shows besides. */
import type { DocumentNode } from "../../core/document.ts";
import { etcRefusal } from "../../core/etc-places.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Findings } from "./findings.ts";
import { asText, member, texts } from "./read-node.ts";

/** What steps inherit. A place that holds secrets, is a pattern, or is not in `/etc`, is an error. Slashes at the end are removed. */
export function readSandbox(node: DocumentNode | undefined, findings: Findings): Required<Pick<Step, "sandbox" | "sandboxShow">> {
  const places = texts(member(node, "show"));
  for (const { text, origin } of places) {
    if (/[*?[\]{}]/.test(text)) {
      findings.error("W205", `\`${text}\` is a pattern, and \`show\` takes paths`, origin, {
        hint: "name each file, or the directory around them",
      });
      continue;
    }
    const refusal = etcRefusal(pathOf(text));
    if (refusal === "secret")
      findings.error("W205", `the sandbox does not show \`${text}\`, because secrets are kept there`, origin, {
        hint: "name single files or directories that hold none",
      });
    if (refusal === "outside")
      findings.error("W205", `\`${text}\` is not a path in \`/etc\``, origin, {
        hint: "write an absolute path such as `/etc/mysql/my.cnf`",
      });
  }
  return { sandbox: asText(node) === "off" ? "off" : "on", sandboxShow: [...new Set(places.map(({ text }) => pathOf(text)))] };
}

function pathOf(text: string): string {
  return text.replace(/\/+$/, "");
}
