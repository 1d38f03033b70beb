/** `wave state`: verifies the state directory, and rebuilds its database. */
import { ok } from "../core/result.ts";
import { openProjectStore } from "../engine/open-run.ts";
import { renderRebuilt, renderVerification } from "../reporters/console/render-verification.ts";
import { defineCommand } from "./define-command.ts";

export const stateCommand = defineCommand({
  name: "state",
  summary: "Verify the state directory, or rebuild its database from the journals",
  details: [
    "`verify` reads every journal, every blob and the database, reports what was changed or damaged by file and line, and exits with 4 if it finds anything. It does not repair anything.",
    "`rebuild` creates a new database from the journals; runs whose journals were removed are copied from the old database as far as it can be read. docs/state.md describes what cannot be detected.",
  ].join(" "),
  args: [{ name: "<action>", description: "`verify` or `rebuild`", choices: ["verify", "rebuild"] }],
  examples: ["wave state verify", "wave state verify --json", "wave state rebuild"],
  run: async ({ request, args: [action] }) => {
    const opened = await openProjectStore(request);
    if (!opened.ok) return opened;
    // Both load SQLite.
    if (action === "rebuild") {
      const { rebuildStore } = await import("../engine/rebuild-store.ts");
      const rebuilt = await rebuildStore(opened.value.store);
      if (!rebuilt.ok) return rebuilt;
      return ok({ json: { ok: true, ...rebuilt.value }, text: ({ color }) => renderRebuilt(rebuilt.value, { color }) });
    }
    const { verifyState } = await import("../engine/verify-state.ts");
    const verified = await verifyState(opened.value.store);
    if (!verified.ok) return verified;
    const whole = verified.value.findings.length === 0;
    return ok({
      json: { ok: whole, ...verified.value },
      text: ({ color }) => renderVerification(verified.value, { color }),
      code: whole ? 0 : 4,
    });
  },
});
