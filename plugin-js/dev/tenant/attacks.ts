/**
 * The classic forged and broken tokens, each made from a good one, with the code of the refusal that it must meet.
 * The list is data: the story prints it, tests run through it.
 */
import type { RejectionCode } from '../../src/core/codes';
import { signatureAttacks } from './attacks/signature';
import { claimAttacks } from './attacks/claims';
import { encodingAttacks } from './attacks/encoding';
import { headerAttacks } from './attacks/header';
import { attackScene, type AttackDefinition } from './attacks/scene';
import { people, type User } from './people';
import type { Tenant } from './tenant';

export interface Attack {
  readonly name: string;
  /** One line for people */
  readonly title: string;
  readonly expect: RejectionCode;
  readonly token: string;
}

const definitions: readonly AttackDefinition[] = [
  ...signatureAttacks,
  ...headerAttacks,
  ...claimAttacks,
  ...encodingAttacks,
];

export const attackNames: readonly string[] = definitions.map(({ name }) => name);

/** Every attack on one person's token, fresh */
export function forgeAttacks(tenant: Tenant, person: User = people.olivia): Attack[] {
  return attackNames.map(name => forgeAttack(tenant, name, person));
}

export function forgeAttack(tenant: Tenant, name: string, person: User = people.olivia): Attack {
  const definition = definitions.find(candidate => candidate.name === name);
  if (!definition) throw new Error(`no attack is called ${name}`);
  const { title, expect, forge } = definition;
  return { name, title, expect, token: forge(attackScene(tenant, person)) };
}
