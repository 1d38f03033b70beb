/** Shows a run on a terminal: draws frames of `render-frame.ts` over each other until the run ends. */
import type { Plan } from "../../core/plan.ts";
import type { Reporter } from "../../core/ports.ts";
import { terminalText } from "../../text/terminal-text.ts";
import { renderFrame, spinnerInterval } from "./render-frame.ts";
import { applyEvent, applyOutput, applyUsage, viewOfPlan } from "./run-view.ts";

export interface LiveOptions {
  /** Writes to the terminal, cursor movements included. */
  readonly write: (text: string) => void;
  readonly color: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Draws at most once per picture of the spinner, however many events arrive. Shows only the last line of a step's output: the summary
 * contains the end of a failed step's output, and `wave logs` prints all of it.
 */
export async function liveReporter(plan: Plan, options: LiveOptions): Promise<Reporter> {
  const { createLogUpdate } = await import("log-update");
  const { write, color, columns, rows, now = Date.now } = options;
  const update = createLogUpdate(terminalStream(write, columns, rows));
  const view = viewOfPlan(plan);
  const draw = () => update(terminalText(renderFrame(view, now(), { columns, rows }, color), { color }));
  let timer: NodeJS.Timeout | undefined;
  return {
    name: "live",
    onEvent(event) {
      applyEvent(view, event);
      timer ??= setInterval(draw, spinnerInterval).unref();
    },
    onOutput({ step, text }) {
      applyOutput(view, step, text);
    },
    onUsage(used) {
      applyUsage(view, used);
    },
    async close() {
      clearInterval(timer);
      draw();
      update.done();
    },
  };
}

/** The members of a stream that `log-update` uses. */
function terminalStream(write: (text: string) => void, columns: number, rows: number): NodeJS.WritableStream {
  const stream = {
    isTTY: true,
    columns,
    rows,
    write: (text: string) => {
      write(text);
      return true;
    },
  };
  return stream as unknown as NodeJS.WritableStream;
}
