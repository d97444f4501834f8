// @ts-check

/**
 * `INSERT OR REPLACE` deletes what stands in its way without the triggers of a deletion, unless the writer asks for them
 * (`PRAGMA recursive_triggers`). Nothing stands in the way of a row that is passed over, so that `ON CONFLICT DO NOTHING` does what
 * it did. A row is found by its key, and by the number that SQLite gives it, which is one, too: -1 here where none was given.
 *
 * @param {string} table
 */
const passedOver = table =>
  `CREATE TRIGGER ${table}_no_replace BEFORE INSERT ON ${table}
   WHEN EXISTS (SELECT 1 FROM ${table} WHERE chain = NEW.chain AND seq = NEW.seq)
     OR (NEW.rowid > 0 AND EXISTS (SELECT 1 FROM ${table} WHERE rowid = NEW.rowid))
   BEGIN SELECT RAISE(IGNORE); END`;

/**
 * Of the audit trail nothing is replaced, on SQLite either; elsewhere an update does it, which is refused already.
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  if (!['better-sqlite3', 'sqlite3'].includes(knex.client.config.client)) return;
  for (const table of ['entra_access_audit', 'entra_access_audit_checkpoints']) await knex.raw(passedOver(table));
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
