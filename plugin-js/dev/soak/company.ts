/** The people of the soak: who they are in the simulated tenant, what is taken from them and given back while everything runs. */
import { mulberry32 } from '../mulberry32';
import { Client } from '../story/client';
import { HOME_TENANT_ID } from '../tenant/tenantIds';
import type { User } from '../tenant/people';
import type { Tenant } from '../tenant/tenant';
import type { Answer } from './load';
import { Truth } from './truth';

/** Whoever is in this group, and whose account is in force, may */
export const TEAM = '3f9a61c2-7d05-4e8b-90b4-c8e2f1a6d703';
/** Of the changes that are made to an account, not to a membership */
const SHARE_OF_ACCOUNTS = 0.3;

/** Somebody who is asked about all the time */
export interface Person {
  readonly id: string;
  readonly truth: Truth;
  /** Of Backstage */
  token: string;
  member: boolean;
  enabled: boolean;
}

export class Company {
  readonly people: Person[];
  readonly #tenant: Tenant;
  readonly #random: () => number;
  /** Changes that took something away, that gave it back, and that made no difference */
  readonly changes = { taken: 0, given: 0, without: 0 };

  constructor(tenant: Tenant, count: number, seed: number) {
    this.#tenant = tenant;
    const numbers = mulberry32(seed);
    this.#random = () => numbers() / 2 ** 32;
    this.people = Array.from({ length: count }, (_, at) => {
      const id = `5a0b0000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
      const member = at % 4 !== 0;
      tenant.directory.addUser(id);
      if (member) tenant.directory.addMember(TEAM, id);
      return { id, truth: new Truth(member), token: '', member, enabled: true };
    });
  }

  /** Signs everybody in */
  async signIn(backendUrl: string): Promise<void> {
    const client = new Client({ backendUrl });
    for (const person of this.people)
      person.token = await client.tokenFor(this.#tenant.mintAccessToken(userOf(person)));
  }

  /** Anybody */
  any(): Person {
    return this.people[Math.floor(this.#random() * this.people.length)] as Person;
  }

  /**
   * Changes the membership or the account of somebody; from when Graph tells of it, that is the truth
   * @returns for whom another answer is right since
   */
  change(): Person | undefined {
    const person = this.any();
    const { directory } = this.#tenant;
    if (this.#random() < SHARE_OF_ACCOUNTS) {
      person.enabled = !person.enabled;
      directory.setEnabled(person.id, person.enabled);
    } else {
      person.member = !person.member;
      if (person.member) directory.addMember(TEAM, person.id);
      else directory.removeMember(TEAM, person.id);
    }
    const [before, after] = [person.truth.allowed, person.member && person.enabled];
    person.truth.set(after, performance.now());
    this.changes[before === after ? 'without' : after ? 'given' : 'taken'] += 1;
    return before === after ? undefined : person;
  }
}

/** What has to be answered about somebody as Entra has them now */
export function expectedOf({ member, enabled }: Person): Answer {
  return !enabled ? 'revoked' : member ? 'allow' : 'deny';
}

function userOf({ id }: Person): User {
  const key = `soak-${id.slice(-6)}`;
  return {
    kind: 'user',
    key,
    name: key,
    tenantId: HOME_TENANT_ID,
    oid: id,
    userName: `${key}@contoso.example`,
    groups: [],
  };
}
