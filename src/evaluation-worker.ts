/** The entry of the evaluation thread: calls in, answers out; nothing else. */
import { evaluations } from "./evaluation/evaluations.ts";
import { serveCalls } from "./platform/worker-calls.ts";

serveCalls(evaluations);
