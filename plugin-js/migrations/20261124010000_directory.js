// @ts-check

/**
 * A number for each directory, the same on every replica (docs/decisions/0005).
 *
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('entra_access_revisions', table => {
    table.string('fingerprint', 128).nullable().comment('Of the content that has the number, where it has one');
  });
  await knex('entra_access_revisions').insert({ name: 'directory', value: 0 });
};

exports.down = async function down() {
  throw new Error('the migrations of entra-access go forward only; restore a backup');
};
