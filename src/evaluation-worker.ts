/** The entry of the evaluation thread: calls in, answers out; nothing else. */
import { evaluations } from "./contracts/evaluations.ts";
import { serveCalls } from "./platform/worker-calls.ts";

serveCalls(evaluations);
