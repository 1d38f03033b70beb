/** Renders a plan for people (`tree`), programs (`json`) and graph tools (`mermaid`, `dot`). Pure. */
import type { Plan } from "../../core/plan.ts";
import { unreachable } from "../../core/result.ts";
import { jsonText } from "../../text/json-text.ts";
import { planDocument } from "./render-plan-document.ts";
import { planAsDot, planAsMermaid } from "./render-plan-graph.ts";
import { planAsTree } from "./render-plan-tree.ts";

export type PlanFormat = "tree" | "json" | "mermaid" | "dot";

export interface PlanStyle {
  readonly format: PlanFormat;
  /** Only for `tree`. */
  readonly color: boolean;
  /** Show the plan of `wave run --reuse` instead of `wave run`. */
  readonly reuse?: boolean;
}

/** The text of a plan. Ends in a line break. */
export function renderPlan(plan: Plan, style: PlanStyle): string {
  switch (style.format) {
    case "tree":
      return planAsTree(plan, { color: style.color, reuse: style.reuse ?? false });
    case "json":
      return `${jsonText(planDocument(plan), 2)}\n`;
    case "mermaid":
      return planAsMermaid(plan);
    case "dot":
      return planAsDot(plan);
    default:
      return unreachable(style.format);
  }
}
