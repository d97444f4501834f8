import type { Decision, PrincipalHandle } from './types';

/** A power of two: so many signed-in callers have their answers here, the others ask the core */
const PLACES = 16_384;

/**
 * Handles come round again after 16,384 times that a place in the core's table is given out anew (`src/identity/table.rs`):
 * long before, everything is forgotten.
 */
const MAX_ADMISSIONS = 8_192;

interface Row {
  principal: PrincipalHandle;
  /** Milliseconds since the epoch */
  until: number;
  /** By the number of the permission */
  answers: Array<Decision | undefined>;
}

/**
 * What the core has decided about signed-in callers, for as long as it would decide the same: within one epoch of one instance, until
 * the caller's session ends or a sign-in becomes too old for a rule, and while nothing has changed about the caller.
 *
 * To ask the core costs more than to look up what it said (docs/decisions/0002); what it said is all that is ever kept here.
 */
export class Answers {
  #rows = emptyRows();
  #admissions = 0;

  /** What was answered; `now` in milliseconds since the epoch */
  find(principal: PrincipalHandle, permission: number, now: number): Decision | undefined {
    const row = this.#rows[principal & (PLACES - 1)];
    return row !== undefined && row.principal === principal && now < row.until ? row.answers[permission] : undefined;
  }

  /** Keeps an answer until `until()` (milliseconds since the epoch), which is asked once for each caller */
  keep(principal: PrincipalHandle, permission: number, decision: Decision, now: number, until: () => number): void {
    const place = principal & (PLACES - 1);
    let row = this.#rows[place];
    if (row?.principal !== principal || now >= row.until) {
      row = { principal, until: until(), answers: [] };
      this.#rows[place] = row;
    }
    row.answers[permission] = decision;
  }

  /** Forgets a caller: gone, or not as before */
  drop(principal: PrincipalHandle): void {
    const place = principal & (PLACES - 1);
    if (this.#rows[place]?.principal === principal) this.#rows[place] = undefined;
  }

  /** Counts a caller that the core has taken in */
  admitted(): void {
    this.#admissions += 1;
    if (this.#admissions % MAX_ADMISSIONS === 0) this.#rows = emptyRows();
  }
}

function emptyRows(): Array<Row | undefined> {
  return new Array<Row | undefined>(PLACES).fill(undefined);
}
