/** A catalog that is filled once and copied for each peer. */
import knexOf, { type Knex } from 'knex';
import type { Postgres } from '../../plugin-js/e2e/support/postgres';
import { baseEntities, fill, nestedEntities, TEAMS } from './catalog';
import { prefixOf, startPeer, trivial, type PeerKind, type Surroundings } from './peers';

const TEMPLATE: PeerKind = { ...trivial, name: 'template' };
const CATALOG = `${prefixOf(TEMPLATE)}catalog`;

export class Seed {
  readonly #postgres: Postgres;
  #nested = 0;

  private constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  /** Lets a backend make the tables, and fills them */
  static async make(surroundings: Surroundings): Promise<Seed> {
    await (await startPeer(TEMPLATE, surroundings)).stop();
    const seed = new Seed(surroundings.postgres);
    await seed.#in(CATALOG, database => fill(database, baseEntities()));
    return seed;
  }

  /** How many groups of Entra the catalog has */
  get groups(): number {
    return TEAMS + this.#nested;
  }

  /** Puts groups inside groups in; only once */
  async nest(count: number): Promise<void> {
    if (count === 0) return;
    this.#nested = count;
    await this.#in(CATALOG, database => fill(database, nestedEntities(count)));
  }

  /** A fresh copy for a peer, and none of what it had before */
  async cloneFor(kind: PeerKind): Promise<void> {
    const prefix = prefixOf(kind);
    await this.#in('postgres', async database => {
      const { rows } = await database.raw('select datname from pg_database where starts_with(datname, ?)', [prefix]);
      for (const { datname } of rows) await database.raw('drop database ?? with (force)', [datname]);
      await database.raw('create database ?? template ??', [`${prefix}catalog`, CATALOG]);
    });
  }

  async version(): Promise<string> {
    return this.#in('postgres', async database => (await database.raw('show server_version')).rows[0].server_version);
  }

  async #in<T>(name: string, work: (database: Knex) => Promise<T>): Promise<T> {
    const database = knexOf({ client: 'pg', connection: { ...this.#postgres.connection, database: name } });
    try {
      return await work(database);
    } finally {
      await database.destroy();
    }
  }
}
