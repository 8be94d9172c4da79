/** Tells dmarcrpt what was found about messages; where control/dmarcrpt is 0, nobody. @module */
import type { Home } from "../../../config/home.ts";
import type { Observation } from "../dmarc/observation.ts";
import { isCountable, shortened } from "./dmarcrpt_protocol.ts";
import { NoteClient } from "./note_client.ts";

/** One connection to the socket `dmarcrpt`. */
export class DmarcrptClient extends NoteClient<Observation> {
  constructor(home: Home) {
    super(home, "dmarcrpt", (note) => ({ op: "note", ...shortened(note) }));
  }

  override note(observation: Observation): void {
    if (isCountable(observation)) super.note(observation);
  }
}
