/** Closes the group of version 2 that the first word names. A process of its own: what it may kill by mistake is itself. */
import { groupAt } from "../../src/platform/memory-group.ts";

groupAt({ version: 2, directory: process.argv[2] ?? "" }).close();
