/** Reads `sandbox` of a manifest: `off`, or additional files to show. */
import type { DocumentNode } from "../../core/document.ts";
import { etcRefusal } from "../../core/etc-places.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Findings } from "./findings.ts";
import { asText, member, textItems } from "./read-node.ts";

/** Settings for all steps. Reports patterns, paths outside `/etc`, and paths that contain secrets. Removes trailing slashes. */
export function readSandbox(node: DocumentNode | undefined, findings: Findings): Required<Pick<Step, "sandbox" | "sandboxShow">> {
  const places = textItems(member(node, "show"));
  for (const { text, origin } of places) {
    if (/[*?[\]{}]/.test(text)) {
      findings.error("W205", `\`${text}\` is a pattern, but \`show\` requires paths`, origin, {
        hint: "list each file, or their directory",
      });
      continue;
    }
    const refusal = etcRefusal(pathOf(text));
    if (refusal === "secret")
      findings.error("W205", `the sandbox does not show \`${text}\` because it usually contains secrets`, origin, {
        hint: "list individual files or directories without secrets",
      });
    if (refusal === "outside")
      findings.error("W205", `\`${text}\` is not a path in \`/etc\``, origin, {
        hint: "use an absolute path such as `/etc/mysql/my.cnf`",
      });
  }
  return { sandbox: asText(node) === "off" ? "off" : "on", sandboxShow: [...new Set(places.map(({ text }) => pathOf(text)))] };
}

function pathOf(text: string): string {
  return text.replace(/\/+$/, "");
}
