/** The entry of the evaluation thread. */
import { evaluations } from "./contracts/evaluations.ts";
import { serveCalls } from "./platform/worker-calls.ts";

serveCalls(evaluations);
