import { changesetConformance } from "../../rig/changeset-conformance.ts";
import { places } from "../../rig/changeset-places.ts";

changesetConformance(places);
