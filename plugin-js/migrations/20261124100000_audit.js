// @ts-check

/** Why nobody can change a record, and nobody can remove one that no checkpoint stands for */
const APPEND_ONLY = 'the audit trail is append-only';

const SQLITE = [
  `CREATE TRIGGER entra_access_audit_no_update BEFORE UPDATE ON entra_access_audit
   BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}'); END`,
  `CREATE TRIGGER entra_access_audit_no_delete BEFORE DELETE ON entra_access_audit
   WHEN NOT EXISTS (
     SELECT 1 FROM entra_access_audit_checkpoints c WHERE c.chain = OLD.chain AND c.seq >= OLD.seq
   )
   BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}'); END`,
  `CREATE TRIGGER entra_access_audit_checkpoints_no_update BEFORE UPDATE ON entra_access_audit_checkpoints
   BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}'); END`,
  `CREATE TRIGGER entra_access_audit_checkpoints_no_delete BEFORE DELETE ON entra_access_audit_checkpoints
   BEGIN SELECT RAISE(ABORT, '${APPEND_ONLY}'); END`,
];

const REFUSE = `CREATE FUNCTION entra_access_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''${APPEND_ONLY}''; END'`;
const REFUSE_DELETE = `CREATE FUNCTION entra_access_audit_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN
     IF EXISTS (SELECT 1 FROM entra_access_audit_checkpoints c WHERE c.chain = OLD.chain AND c.seq >= OLD.seq) THEN
       RETURN OLD;
     END IF;
     RAISE EXCEPTION ''${APPEND_ONLY}'';
   END'`;
const POSTGRES = [
  REFUSE,
  REFUSE_DELETE,
  `CREATE TRIGGER no_update BEFORE UPDATE ON entra_access_audit
   FOR EACH ROW EXECUTE FUNCTION entra_access_audit_refuse()`,
  `CREATE TRIGGER no_delete BEFORE DELETE ON entra_access_audit
   FOR EACH ROW EXECUTE FUNCTION entra_access_audit_refuse_delete()`,
  `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entra_access_audit
   FOR EACH STATEMENT EXECUTE FUNCTION entra_access_audit_refuse()`,
  `CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON entra_access_audit_checkpoints
   FOR EACH ROW EXECUTE FUNCTION entra_access_audit_refuse()`,
  `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entra_access_audit_checkpoints
   FOR EACH STATEMENT EXECUTE FUNCTION entra_access_audit_refuse()`,
];

/** @type {Readonly<Record<string, readonly string[]>>} */
const TRIGGERS = { 'better-sqlite3': SQLITE, sqlite3: SQLITE, pg: POSTGRES };

/**
 * Who did what, in hash chains of one replica each. `record` is what counts; the other columns repeat parts of it to search by.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('entra_access_audit', table => {
    table.comment('The audit trail; append-only');
    table.string('chain', 36).notNullable().comment('One of each replica, from its start to its end');
    table.bigInteger('seq').notNullable().comment('Place in the chain, from 1 on');
    table.string('hash', 64).notNullable().comment('SHA-256 of the hash before and the record');
    table.text('record').notNullable().comment('Canonical JSON');
    table.bigInteger('at').notNullable().comment('Milliseconds since the epoch');
    table.string('event', 32).notNullable();
    table.string('result', 16);
    table.text('principal');
    table.text('resource');
    table.text('rule');
    table.primary(['chain', 'seq']);
    table.index(['at', 'chain', 'seq']);
    table.index(['principal', 'at']);
    table.index(['resource', 'at']);
    table.index(['rule', 'at']);
  });
  await knex.schema.createTable('entra_access_audit_checkpoints', table => {
    table.comment('Where chains begin whose older records were removed after their time');
    table.string('chain', 36).notNullable();
    table.bigInteger('seq').notNullable().comment('The last record that was removed');
    table.string('hash', 64).notNullable();
    table.bigInteger('at').notNullable().comment('Milliseconds since the epoch');
    table.primary(['chain', 'seq']);
  });
  for (const statement of TRIGGERS[knex.client.config.client] ?? []) await knex.raw(statement);
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
